"""A gateway for text messages on loopback that speaks Twilio's Messages API, and is slow and unsure at times."""

import json
import random
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

ACCOUNT: Final = "AC" + "f" * 32
TOKEN: Final = "token of the gateway"
SENDER: Final = "+12025550100"

SLOWEST_SECONDS: Final = 0.6
"""Before a message is taken, or before that is said: a kill may come in between."""

SLOW, BROKEN, LOST = 0.2, 0.04, 0.02
"""Shares of messages that are taken or answered late, that are taken although the answer is 500, that are not taken."""


@dataclass
class Gateway:
    """The server; `taken` are the messages that it took, oldest first."""

    chance: random.Random
    taken: list[dict[str, Any]] = field(default_factory=list)
    posts: int = 0
    lists: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"gateway": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The base URL to configure."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def post(self, form: dict[str, str]) -> dict[str, Any] | None:
        """Take a message, perhaps, and perhaps late; None is an error of the server."""
        with self._lock:
            self.posts += 1
            luck, before, after = self.chance.random(), self.chance.random(), self.chance.random()
        slow = luck < SLOW
        time.sleep(before * SLOWEST_SECONDS if slow else 0)
        if luck > 1 - LOST:
            return None
        with self._lock:
            message = _message(len(self.taken), form)
            self.taken.append(message)
        time.sleep(after * SLOWEST_SECONDS if slow else 0)
        return None if luck > 1 - LOST - BROKEN else message

    def find(self, to: str | None) -> list[dict[str, Any]]:
        """Give what it took for a number, newest first."""
        with self._lock:
            self.lists += 1
            return [message for message in reversed(self.taken) if to in (None, message["to"])]


def _message(number: int, form: dict[str, str]) -> dict[str, Any]:
    now = format_datetime(datetime.now(UTC))
    nothing: dict[str, Any] = dict.fromkeys(("messaging_service_sid", "date_sent", "error_code", "error_message"))
    return nothing | {
        "sid": f"SM{number:032x}",
        "account_sid": ACCOUNT,
        "to": form["To"],
        "from": form.get("From"),
        "body": form["Body"],
        "status": "queued",
        "date_created": now,
        "date_updated": now,
        "num_segments": "1",
    }


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Say nothing: whoever asked was killed meanwhile."""


class _Handler(BaseHTTPRequestHandler):
    gateway: Gateway
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        message = self.gateway.post({key: values[0] for key, values in urllib.parse.parse_qs(body).items()})
        if message is None:
            self._answer(500, {"code": 20500, "message": "Internal server error", "status": 500})
        else:
            self._answer(201, message)

    def do_GET(self) -> None:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        found = self.gateway.find(query.get("To", [None])[0])[:50]
        self._answer(200, {"messages": found, "page": 0, "page_size": 50, "uri": self.path, "next_page_uri": None})

    def log_message(self, *_: Any) -> None:
        """Keep the terminal for the table."""

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
