"""Sends text messages to Korean telephones by Solapi's message API, version 4."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
import msgspec
import phonenumbers

from broker.config.channels import Solapi, number_of
from broker.ports import Busy, Doubtful, Rejected, SendFailed, Unreachable

SEND_PATH: Final = "/messages/v4/send-many/detail"
LIST_PATH: Final = "/messages/v4/list"

SMS_BYTES: Final = 90
"""What Korean carriers take as one SMS, in EUC-KR; a longer text goes as LMS."""

LMS_BYTES: Final = 2000

ASKED: Final = 100
"""Newest messages to a number that are looked through."""

DEFAULT_PATIENCE: Final = timedelta(seconds=30)
LONGEST_PATIENCE: Final = timedelta(hours=1)

NEVER_TAKEN: Final = frozenset({"1", "3"})
"""First digits of status codes of messages that were refused (1xxx) or failed at the carrier (3xxx), but for these:"""

ON_ITS_WAY: Final = frozenset({"2000", "3000", "4000"})
"""Taken; handed to the carrier; delivered."""


class _Message(msgspec.Struct, rename="camel"):
    """One message as Solapi lists it."""

    text: str | None = None
    status_code: str | None = None
    date_created: datetime | None = None


class _List(msgspec.Struct, rename="camel"):
    message_list: dict[str, _Message]


class _Taken(msgspec.Struct, rename="camel"):
    message_id: str
    status_code: str = ""
    status_message: str = ""


class _Answer(msgspec.Struct, rename="camel"):
    message_list: list[_Taken] | None = None
    failed_message_list: list[_Taken] | None = None


class _Problem(msgspec.Struct, rename="camel"):
    error_code: str = ""
    error_message: str = ""


class SolapiSender:
    """One Solapi account. Solapi keeps no idempotency key, so it is asked after what is in doubt."""

    name = "solapi"
    askable = True

    def __init__(
        self, account: Solapi, api_secret: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._key, self._secret = account.api_key, api_secret
        self._from = _national(number_of(account.sender, region="KR"))
        self._base_url, self._timeout = account.base_url, account.timeout_seconds
        self._clock = clock
        # Reading the system's authorities takes longer than most requests; once is enough.
        self._tls = httpx.create_ssl_context()

    def send(self, to: str, text: str) -> str:
        """Hand over one message and return its id; raises `SendFailed`."""
        number = number_of(to)
        size = len(text.encode("euc-kr", errors="replace"))
        if size > LMS_BYTES:
            raise Rejected(f"the text has {size} bytes in EUC-KR; Solapi takes {LMS_BYTES}")
        message = {
            "to": _national(number),
            "country": str(number.country_code),
            "from": self._from,
            "text": text,
            "type": "SMS" if size <= SMS_BYTES else "LMS",
        }
        body = {"messages": [message], "showMessageList": True}
        response = self._call("POST", SEND_PATH, content=msgspec.json.encode(body))
        if response.status_code != 200:
            raise _sort(response)
        return _read_id(response)

    def find(self, to: str, text: str, *, since: datetime) -> Sequence[str]:
        """Return the ids of messages with this text taken since a moment, oldest first; raises `Unreachable`."""
        query = {
            "to": _national(number_of(to)),
            "dateType": "CREATED",
            "startDate": since.astimezone(UTC).isoformat(),
            "endDate": (self._clock() + timedelta(minutes=5)).astimezone(UTC).isoformat(),
            "limit": str(ASKED),
        }
        try:
            response = self._call("GET", LIST_PATH, params=query)
        except SendFailed as error:
            raise Unreachable(f"asking after a message: {error}") from error
        if response.status_code != 200:
            raise Unreachable(f"asking after a message: {_sort(response)}")
        try:
            listed = msgspec.json.decode(response.content, type=_List, strict=False).message_list
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise Unreachable(f"asking after a message: the answer is not Solapi's: {error}") from error
        found = [(one.date_created, name) for name, one in listed.items() if _is_it(one, text, since)]
        return [name for _, name in sorted(found, key=lambda pair: (pair[0] or since, pair[1]))]

    def _call(
        self, method: str, path: str, *, content: bytes | None = None, params: dict[str, str] | None = None
    ) -> httpx.Response:
        headers = {"Authorization": self._authorization(), "Content-Type": "application/json"}
        try:
            with httpx.Client(timeout=self._timeout, follow_redirects=False, verify=self._tls) as client:
                return client.request(method, self._base_url + path, headers=headers, content=content, params=params)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Doubtful(f"{type(error).__name__}: {error}") from error

    def _authorization(self) -> str:
        """Sign date and salt with HMAC-SHA256, as https://developers.solapi.com/references/authentication says."""
        date, salt = self._clock().astimezone(UTC).isoformat(timespec="milliseconds"), secrets.token_hex(16)
        signature = hmac.new(self._secret.encode(), (date + salt).encode(), hashlib.sha256).hexdigest()
        return f"HMAC-SHA256 apiKey={self._key}, date={date}, salt={salt}, signature={signature}"


def _national(number: phonenumbers.PhoneNumber) -> str:
    """Return a number as it is dialled inside its country, digits alone: 01012345678."""
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(sign for sign in national if sign.isdigit())


def _read_id(response: httpx.Response) -> str:
    try:
        answer = msgspec.json.decode(response.content, type=_Answer)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Doubtful(f"the answer is not Solapi's: {error}") from error
    if answer.failed_message_list:
        failed = answer.failed_message_list[0]
        raise Rejected(f"Solapi status {failed.status_code}: {failed.status_message}")
    if not answer.message_list:
        raise Doubtful("the answer names no message")
    return answer.message_list[0].message_id


def _sort(response: httpx.Response) -> SendFailed:
    try:
        problem = msgspec.json.decode(response.content, type=_Problem)
        said = f"HTTP {response.status_code}, {problem.error_code}: {problem.error_message}"[:300]
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        said = f"HTTP {response.status_code}"
    if response.status_code == 429:
        return Busy(said, retry_after=_patience(response.headers.get("Retry-After", "")))
    if response.status_code in (401, 402, 403, 404):
        return Unreachable(f"{said}; check `solapi.api_key`, the API secret and the balance")
    if response.status_code >= 500 or response.status_code < 400:
        return Doubtful(said)
    return Rejected(said)


def _is_it(message: _Message, text: str, since: datetime) -> bool:
    code = message.status_code or ""
    taken = code in ON_ITS_WAY or code[:1] not in NEVER_TAKEN
    at = message.date_created
    return taken and message.text == text and (at is None or at.tzinfo is None or at >= since)


def _patience(header: str) -> timedelta:
    asked = timedelta(seconds=int(header)) if header.strip().isdigit() and len(header) < 9 else DEFAULT_PATIENCE
    return max(timedelta(seconds=1), min(asked, LONGEST_PATIENCE))
