"""A small HTTP server on loopback that fails in every way a web service can."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

from testing import loopback

DRIP_SECONDS: Final = 0.05
HUGE_BYTES: Final = 8_000_000


class Behaviour(StrEnum):
    """How the server treats one request. An accepted request has its effect, whatever the client hears of it."""

    NORMAL = "accepted and answered"
    SERVER_ERROR = "500, not accepted"
    ACCEPTED_SERVER_ERROR = "accepted, then 500"
    TOO_MANY_REQUESTS = "429 with Retry-After, not accepted"
    ACCEPTED_TIMEOUT = "accepted, then no answer"
    ACCEPTED_NOT_JSON = "accepted, then the status of success with a body that is no JSON"
    ACCEPTED_EMPTY_OBJECT = "accepted, then 200 with an empty JSON object"
    ACCEPTED_SLOW_BODY = "accepted, then a body byte by byte without end"
    ACCEPTED_SLOW_HEADERS = "accepted, then headers byte by byte without end"
    ACCEPTED_HUGE_BODY = "accepted, then an answer of many megabytes"
    REDIRECT = "301 to another address, not accepted"
    CONNECTION_CLOSED = "accepted, then the connection is closed"
    REFUSED_CONNECTION_CLOSED = "the connection is closed, not accepted"


NOT_ACCEPTED: Final = frozenset(
    {
        Behaviour.SERVER_ERROR,
        Behaviour.TOO_MANY_REQUESTS,
        Behaviour.REDIRECT,
        Behaviour.REFUSED_CONNECTION_CLOSED,
    }
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was received."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with its JSON."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Treatment:
    """What the server does with one request, and how long it takes before it accepts and before it answers."""

    behaviour: Behaviour = Behaviour.NORMAL
    before_seconds: float = 0.0
    after_seconds: float = 0.0


def always_normal(_request: Request) -> Treatment:
    """Treat every request normally and at once."""
    return Treatment()


@dataclass
class FakeHttp:
    """The server, running while the `with` block lasts.

    `answer` has the effect of an accepted request and returns what a NORMAL one hears. `planned` behaviours are used
    one a request, oldest first; when none is left, `treat` decides.
    """

    answer: Callable[[Request], Answer]
    planned: deque[Behaviour] = field(default_factory=deque)
    treat: Callable[[Request], Treatment] = always_normal
    accepted: list[Request] = field(default_factory=list)
    retry_after: str = "7"
    server_error: bytes = b"<html>gateway</html>"

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"fake": self})
        self._over = threading.Event()
        self._server = _Server((loopback.HOST, 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The base URL to configure."""
        return f"http://{loopback.HOST}:{self.port}"

    def next_treatment(self, request: Request) -> Treatment:
        """Return how the next request is treated, and use up a planned behaviour."""
        return Treatment(self.planned.popleft()) if self.planned else self.treat(request)

    def drip(self, write: Callable[[bytes], object]) -> None:
        """Send a byte now and then until the client or the block ends."""
        try:
            while not self._over.wait(DRIP_SECONDS):
                write(b"a")
        except OSError:
            return

    def wait_for_end(self) -> None:
        """Block until the `with` block ends: a client gives up before."""
        self._over.wait()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Print nothing: clients are killed in the middle of a request."""


class _Handler(BaseHTTPRequestHandler):
    fake: FakeHttp
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, dict(self.headers.items()), body)
        treatment = self.fake.next_treatment(request)
        self.close_connection = treatment.behaviour is not Behaviour.NORMAL
        time.sleep(treatment.before_seconds)
        if treatment.behaviour in NOT_ACCEPTED:
            self._reject(treatment.behaviour)
            return
        answer = self.fake.answer(request)
        self.fake.accepted.append(request)
        time.sleep(treatment.after_seconds)
        self._reply(treatment.behaviour, answer)

    do_GET = do_POST  # noqa: N815 - the name that the base class looks for

    def log_message(self, *_: object) -> None:
        """Keep the output of tests and tables clean."""

    def _reject(self, behaviour: Behaviour) -> None:
        match behaviour:
            case Behaviour.SERVER_ERROR:
                self._send(500, self.fake.server_error)
            case Behaviour.TOO_MANY_REQUESTS:
                self._send(429, b"{}", {"Retry-After": self.fake.retry_after})
            case Behaviour.REDIRECT:
                self._send(301, b"", {"Location": "http://127.0.0.1:9/elsewhere"})

    def _reply(self, behaviour: Behaviour, answer: Answer) -> None:
        match behaviour:
            case Behaviour.NORMAL:
                self._send(answer.status, answer.body, answer.headers)
            case Behaviour.ACCEPTED_SERVER_ERROR:
                self._send(500, self.fake.server_error)
            case Behaviour.ACCEPTED_TIMEOUT:
                self.fake.wait_for_end()
            case Behaviour.ACCEPTED_NOT_JSON:
                self._send(answer.status, b"<html>gateway</html>")
            case Behaviour.ACCEPTED_EMPTY_OBJECT:
                self._send(200, b"{}")
            case Behaviour.ACCEPTED_SLOW_BODY:
                self._head(200, {"Content-Length": "1000000"})
                self.fake.drip(self.wfile.write)
            case Behaviour.ACCEPTED_SLOW_HEADERS:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
                self.fake.drip(self.wfile.write)
            case Behaviour.ACCEPTED_HUGE_BODY:
                self._send(200, b" " * HUGE_BYTES)

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self._head(status, {"Content-Length": str(len(body))} | dict(headers or {}))
        try:
            self.wfile.write(body)
        except OSError:
            return

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | dict(headers)).items():
            self.send_header(name, value)
        if self.close_connection:  # else a client may send its next request into the closing connection
            self.send_header("Connection", "close")
        self.end_headers()
