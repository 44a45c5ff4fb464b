"""Twilio's Messages API on loopback: accepts text messages, lists them, and fails as the real one can.

The paths, the fields and the error codes are those of https://www.twilio.com/docs/messaging/api/message-resource.
"""

import base64
import json
import re
import threading
import time
import urllib.parse
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from types import TracebackType
from typing import Final, Self

from testing.fake_http import Answer, Behaviour, FakeHttp, Request, Treatment

ACCOUNT: Final = "AC" + "0123456789abcdef" * 2
TOKEN: Final = "secret-of-the-test"
SENDER: Final = "+12025550100"

PATH: Final = re.compile(r"^/2010-04-01/Accounts/(?P<account>AC[0-9a-f]{32})/Messages\.json$")
PAGE_SIZE: Final = 50

SERVER_ERROR: Final = {"code": 20500, "message": "Internal server error", "status": 500}


@dataclass
class TextMessage:
    """One message that the provider has accepted; `accepted_at` is by the monotonic clock."""

    sid: str
    to: str
    body: str
    sender: str | None
    messaging_service_sid: str | None
    created: datetime
    accepted_at: float
    status: str = "queued"

    def resource(self) -> dict[str, str | None]:
        """Return it as the API shows it."""
        return {
            "sid": self.sid,
            "account_sid": ACCOUNT,
            "to": self.to,
            "from": self.sender,
            "messaging_service_sid": self.messaging_service_sid,
            "body": self.body,
            "status": self.status,
            "date_created": format_datetime(self.created),
            "date_sent": None,
            "date_updated": format_datetime(self.created),
            "num_segments": "1",
            "error_code": None,
            "error_message": None,
        }


def always_normal() -> Treatment:
    """Accept every message at once."""
    return Treatment()


@dataclass
class FakeTwilio:
    """The provider, running while the `with` block lasts.

    `planned` behaviours are used one a POST, oldest first; when none is left, `treat` decides. `messages` are those
    accepted, oldest first. `invalid_numbers` are refused with error 21211. Listing fails while `lists_fail`.
    """

    planned: deque[Behaviour] = field(default_factory=deque)
    treat: Callable[[], Treatment] = always_normal
    messages: list[TextMessage] = field(default_factory=list)
    invalid_numbers: set[str] = field(default_factory=set)
    posts: int = 0
    lists: int = 0
    lists_fail: bool = False
    retry_after: str = "1"
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    """Dates the messages."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._http = FakeHttp(self._answer, treat=self._treat, server_error=json.dumps(SERVER_ERROR).encode())

    def __enter__(self) -> Self:
        self._http.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.__exit__(kind, error, at)

    @property
    def url(self) -> str:
        """The base URL to configure."""
        return self._http.url

    @property
    def texts(self) -> list[str]:
        """The bodies of the accepted messages, oldest first."""
        return [message.body for message in self.messages]

    def _treat(self, request: Request) -> Treatment:
        if request.method != "POST":
            return Treatment()
        with self._lock:
            self.posts += 1
            self._http.retry_after = self.retry_after
            return Treatment(self.planned.popleft()) if self.planned else self.treat()

    def _answer(self, request: Request) -> Answer:
        if problem := _refusal(request):
            return problem
        if request.method == "POST":
            return self._accept(dict(urllib.parse.parse_qsl(request.body.decode())))
        return self._list(urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query).get("To", [None])[0])

    def _accept(self, form: dict[str, str]) -> Answer:
        if form["To"] in self.invalid_numbers:
            return _problem(400, 21211, f"Invalid 'To' Phone Number: {form['To']}")
        with self._lock:
            message = TextMessage(
                sid=f"SM{len(self.messages):032x}",
                to=form["To"],
                body=form["Body"],
                sender=form.get("From"),
                messaging_service_sid=form.get("MessagingServiceSid"),
                created=self.clock(),
                accepted_at=time.monotonic(),
            )
            self.messages.append(message)
        return Answer(201, json.dumps(message.resource()).encode())

    def _list(self, to: str | None) -> Answer:
        with self._lock:
            self.lists += 1
            found = [one.resource() for one in reversed(self.messages) if to in (None, one.to)][:PAGE_SIZE]
        if self.lists_fail:
            return _problem(503, 20503, "Service unavailable")
        page = {"messages": found, "page": 0, "page_size": PAGE_SIZE, "uri": "", "next_page_uri": None}
        return Answer(200, json.dumps(page).encode())


def _refusal(request: Request) -> Answer | None:
    expected = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    if request.headers.get("Authorization") != expected:
        return _problem(401, 20003, "Authenticate")
    path = PATH.match(urllib.parse.urlsplit(request.path).path)
    if path is None or path["account"] != ACCOUNT:
        return _problem(404, 20404, "The requested resource was not found")
    return None


def _problem(status: int, code: int, message: str) -> Answer:
    return Answer(status, json.dumps({"code": code, "message": message, "status": status}).encode())
