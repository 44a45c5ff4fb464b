"""A small HTTP server that speaks Twilio's Messages API on loopback, and fails in every way that Twilio can."""

import base64
import json
import re
import threading
import time
import urllib.parse
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "secret-of-the-test"
SENDER = "+12025550100"

PATH = re.compile(r"^/2010-04-01/Accounts/(?P<account>AC[0-9a-f]{32})/Messages\.json$")


class Mood(StrEnum):
    """How the server takes one POST; it takes those not announced as GOOD."""

    GOOD = "good"
    BROKEN = "500 and the message is lost"
    TAKEN_BUT_BROKEN = "500 after the message was taken"
    BUSY = "429 with Retry-After"
    TAKEN_BUT_SILENT = "no answer after the message was taken"
    TAKEN_BUT_BABBLES = "201 with a body that is no JSON"
    NO_SUCH_NUMBER = "400, error 21211"
    HANGS_UP = "closes the connection before it reads"


@dataclass
class FakeTwilio:
    """The server; `moods` are used up one a POST, `messages` are those that it took, oldest first."""

    moods: deque[Mood] = field(default_factory=deque)
    messages: list[dict[str, Any]] = field(default_factory=list)
    posts: int = 0
    lists: int = 0
    retry_after: str = "1"
    silence_seconds: float = 3.0
    """How long TAKEN_BUT_SILENT keeps the connection open: longer than the client waits."""
    lists_fail: bool = False

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"twilio": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The base URL to configure."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def texts(self) -> list[str]:
        """The texts that it took, oldest first."""
        return [message["body"] for message in self.messages]

    def take(self, form: dict[str, str]) -> dict[str, Any]:
        """Take a message as the API does: it has an id, a state and dates from now on."""
        message = {
            "sid": f"SM{len(self.messages):032x}",
            "account_sid": ACCOUNT,
            "to": form["To"],
            "from": form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "body": form["Body"],
            "status": "queued",
            "date_created": format_datetime(datetime.now(UTC)),
            "date_sent": None,
            "date_updated": format_datetime(datetime.now(UTC)),
            "num_segments": "1",
            "error_code": None,
            "error_message": None,
        }
        self.messages.append(message)
        return message


class _Handler(BaseHTTPRequestHandler):
    twilio: FakeTwilio
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        form = {key: values[0] for key, values in urllib.parse.parse_qs(self._body()).items()}
        self.twilio.posts += 1
        mood = self.twilio.moods.popleft() if self.twilio.moods else Mood.GOOD
        if not self._may_enter():
            return
        taken = None
        if mood in (Mood.GOOD, Mood.TAKEN_BUT_BROKEN, Mood.TAKEN_BUT_SILENT, Mood.TAKEN_BUT_BABBLES):
            taken = self.twilio.take(form)
        match mood:
            case Mood.GOOD:
                self._answer(201, taken)
            case Mood.BROKEN | Mood.TAKEN_BUT_BROKEN:
                self._answer(500, {"code": 20500, "message": "Internal server error", "status": 500})
            case Mood.BUSY:
                problem = {"code": 20429, "message": "Too many requests", "status": 429}
                self._answer(429, problem, {"Retry-After": self.twilio.retry_after})
            case Mood.TAKEN_BUT_SILENT:
                time.sleep(self.twilio.silence_seconds)
                self.close_connection = True
            case Mood.TAKEN_BUT_BABBLES:
                self._send(201, b"<html>gateway</html>", {})
            case Mood.NO_SUCH_NUMBER:
                problem = {"code": 21211, "message": f"Invalid 'To' Phone Number: {form['To']}", "status": 400}
                self._answer(400, problem)
            case Mood.HANGS_UP:
                self.close_connection = True

    def do_GET(self) -> None:
        self.twilio.lists += 1
        if not self._may_enter():
            return
        if self.twilio.lists_fail:
            self._answer(503, {"code": 20503, "message": "Service unavailable", "status": 503})
            return
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        to = query.get("To", [None])[0]
        found = [message for message in reversed(self.twilio.messages) if to in (None, message["to"])]
        page = {"messages": found, "page": 0, "page_size": 50, "uri": self.path, "next_page_uri": None}
        self._answer(200, page)

    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""

    def _body(self) -> str:
        return self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()

    def _may_enter(self) -> bool:
        expected = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") != expected:
            self._answer(401, {"code": 20003, "message": "Authenticate", "status": 401})
            return False
        path = PATH.match(urllib.parse.urlsplit(self.path).path)
        if path is None or path["account"] != ACCOUNT:
            self._answer(404, {"code": 20404, "message": "The requested resource was not found", "status": 404})
            return False
        return True

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), headers or {})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
