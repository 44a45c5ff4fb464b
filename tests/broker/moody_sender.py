"""A small HTTP server on loopback that answers as it is told, and fails in every way a service can."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Mood(StrEnum):
    """How the server takes one request; it takes those not announced as GOOD."""

    GOOD = "good"
    BROKEN = "500, and nothing was taken"
    TAKEN_BUT_BROKEN = "500 after it was taken"
    BUSY = "429 with Retry-After"
    SILENT = "no answer after it was taken"
    BABBLES = "200 with a body that is no JSON"
    EMPTY = "200 with an empty JSON object"
    DRIPS = "an answer that comes byte by byte and has no end"
    DRIPS_HEADERS = "headers that come byte by byte and have no end"
    ENDLESS = "an answer of many megabytes"
    MOVED = "301 to somewhere else"
    HANGS_UP = "closes the connection after it was taken"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Moody:
    """The server. `answer` gives status and body of a GOOD request; `taken` are those that had their effect."""

    answer: Callable[[Request], tuple[int, bytes]]
    moods: deque[Mood] = field(default_factory=deque)
    taken: list[Request] = field(default_factory=list)
    retry_after: str = "7"
    silence_seconds: float = 1.0

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"server_of": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._over = threading.Event()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The base URL to configure."""
        return f"http://127.0.0.1:{self.port}"

    def drip(self, write: Callable[[bytes], object]) -> None:
        """Send a byte now and then, until the other side or the test has enough."""
        try:
            while not self._over.wait(0.05):
                write(b"a")
        except OSError:
            return


class _Handler(BaseHTTPRequestHandler):
    server_of: Moody
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server = self.server_of
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, dict(self.headers.items()), body)
        mood = server.moods.popleft() if server.moods else Mood.GOOD
        if mood not in (Mood.BROKEN, Mood.BUSY, Mood.MOVED):
            server.taken.append(request)
        self.close_connection = True
        match mood:
            case Mood.GOOD:
                self._send(*server.answer(request))
            case Mood.BROKEN | Mood.TAKEN_BUT_BROKEN:
                self._send(500, b"<html>gateway</html>")
            case Mood.BUSY:
                self._send(429, b"{}", {"Retry-After": server.retry_after})
            case Mood.SILENT:
                time.sleep(server.silence_seconds)
            case Mood.BABBLES:
                self._send(200, b"<html>gateway</html>")
            case Mood.EMPTY:
                self._send(200, b"{}")
            case Mood.DRIPS:
                self._head(200, {"Content-Length": "1000000"})
                server.drip(self.wfile.write)
            case Mood.DRIPS_HEADERS:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
                server.drip(self.wfile.write)
            case Mood.ENDLESS:
                self._send(200, b" " * 8_000_000)
            case Mood.MOVED:
                self._send(301, b"", {"Location": "http://127.0.0.1:9/elsewhere"})
            case Mood.HANGS_UP:
                pass

    do_GET = do_POST  # noqa: N815 - the name that the base class looks for

    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self._head(status, {"Content-Length": str(len(body))} | (headers or {}))
        try:
            self.wfile.write(body)
        except OSError:
            return

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.end_headers()
