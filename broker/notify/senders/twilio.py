"""Sends text messages by Twilio's Messages API, through Twilio's own library."""

import logging
import urllib.parse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import requests
import urllib3
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from broker.ports import Busy, Doubtful, Rejected, SendFailed, Unreachable

log = logging.getLogger(__name__)

API: Final = "https://api.twilio.com"
"""The address that the library uses for every request without a region."""

ASKED: Final = 100
"""Newest messages to a number that are looked through: far more than one person gets while one is in doubt."""

DEFAULT_PATIENCE: Final = timedelta(seconds=30)
"""Wait after a 429 without `Retry-After`."""

LONGEST_PATIENCE: Final = timedelta(hours=1)
"""A 429 that asks for more is cut to this: later, a notification is of no use."""

NEVER_TAKEN: Final = frozenset({"failed", "canceled"})
"""States of a message that Twilio knows but did not send on."""


class TwilioSender:
    """One Twilio account. Not for several threads at once: it looks at its last response."""

    name = "twilio"
    askable = True

    def __init__(  # noqa: PLR0913 - each is one setting of the account
        self,
        account_sid: str,
        auth_token: str,
        *,
        sender: str,
        base_url: str,
        timeout_seconds: float,
        callback_url: str = "",
    ) -> None:
        self._http = _Http(base_url, timeout_seconds)
        self._client = Client(account_sid, auth_token, http_client=self._http)
        self._how = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
        if callback_url:
            self._how["status_callback"] = callback_url
        # The library loads most of itself at the first use: better now than between "about to be sent" and the sending.
        self._client.messages  # noqa: B018 - see above

    def send(self, to: str, text: str) -> str:
        """Hand over one message and return its SID; raises `SendFailed`."""
        try:
            return str(self._client.messages.create(to=to, body=text, **self._how).sid)
        except TwilioRestException as error:
            raise self._sort(error) from error
        except requests.RequestException as error:
            raise _sort_network(error) from error
        except (ValueError, KeyError, TypeError, AttributeError, TwilioException) as error:
            # Twilio accepted it with an unreadable answer: ValueError is broken JSON.
            raise Doubtful(f"the answer is not Twilio's: {error}") from error

    def find(self, to: str, text: str, *, since: datetime) -> Sequence[str]:
        """Return the SIDs of messages with this text created since a moment, oldest first; raises `Unreachable`."""
        try:
            messages = self._client.messages.list(to=to, limit=ASKED)
            found = [(message.date_created, message.sid) for message in messages if _is_it(message, text, since)]
        except TwilioRestException as error:
            raise Unreachable(f"asking after a message: HTTP {error.status}: {error.msg}") from error
        except requests.RequestException as error:
            raise Unreachable(f"asking after a message: {_brief(error)}") from error
        except TwilioException as error:
            raise Unreachable(f"asking after a message: {error}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreachable(f"asking after a message: the answer is not Twilio's: {error}") from error
        return [str(sid) for _, sid in sorted(found)]

    def _sort(self, error: TwilioRestException) -> SendFailed:
        said = f"HTTP {error.status}, Twilio error {error.code}: {error.msg}"
        if error.status == 429:
            return Busy(said, retry_after=_patience(self._http.retry_after))
        if error.status in (401, 403, 404):
            return Unreachable(f"{said}; check `twilio.account_sid` and the auth token")
        if error.status >= 500:
            # A gateway in front may have lost the answer to a message that was taken.
            return Doubtful(said)
        return Rejected(said)


class _Http(TwilioHttpClient):  # type: ignore[misc]  # the library is not checked, see pyproject.toml
    """Twilio's HTTP client, pointed at a base URL and remembering how long it was asked to wait."""

    def __init__(self, base_url: str, timeout_seconds: float) -> None:
        # The library itself never repeats a request: only we know which repeat is safe.
        super().__init__(timeout=timeout_seconds, max_retries=0)
        self._base = urllib.parse.urlsplit(base_url)
        self.retry_after = ""

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """Send one request to the same path under the base URL."""
        self.retry_after = ""
        target = urllib.parse.urlsplit(url)._replace(scheme=self._base.scheme, netloc=self._base.netloc)
        response = super().request(method, urllib.parse.urlunsplit(target), *args, **kwargs)
        self.retry_after = (response.headers or {}).get("Retry-After", "")
        return response


def _sort_network(error: requests.RequestException) -> SendFailed:
    reason = error.args[0] if error.args else None
    refused = isinstance(getattr(reason, "reason", None), urllib3.exceptions.NewConnectionError)
    if refused or isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError):
        return Unreachable(_brief(error))
    return Doubtful(_brief(error))


def _brief(error: requests.RequestException) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _is_it(message: Any, text: str, since: datetime) -> bool:
    taken = message.status not in NEVER_TAKEN
    return bool(taken and message.body == text and message.date_created and message.date_created >= since)


def _patience(header: str) -> timedelta:
    """Read a Retry-After header: seconds, or an HTTP date (RFC 9110, section 10.2.3)."""
    try:
        if header.strip().isdigit():
            asked = timedelta(seconds=int(header))
        else:
            asked = parsedate_to_datetime(header) - datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        asked = DEFAULT_PATIENCE
    return max(timedelta(seconds=1), min(asked, LONGEST_PATIENCE))
