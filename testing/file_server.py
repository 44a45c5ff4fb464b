"""A web server on loopback that serves a folder, and misbehaves where a test asks for it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from testing import loopback

BLOCK: Final = b"\0" * 65_536

DRIP_SECONDS: Final = 0.05


class Misbehaviour(StrEnum):
    """What becomes of one file."""

    ENDLESS = "zeros without end"
    DRIP = "a byte now and then, without end"
    DRIPPING_HEADERS = "headers a byte at a time, without end"
    CUT = "the connection ends in the middle"
    SHORT = "one byte less, with a matching Content-Length"
    FLIPPED = "one bit differs"
    REDIRECTED = "301 to the same file elsewhere"
    ERROR = "500"


@dataclass
class FileServer:
    """Serves the files below a folder; `misbehaviour` is by the end of a path."""

    folder: Path
    misbehaviour: dict[str, Misbehaviour] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Path and `Range` of each request."""
    elsewhere: str = ""
    """Where a redirection leads."""
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer((loopback.HOST, 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stopping.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    @property
    def url(self) -> str:
        """Address of the folder."""
        assert self._server is not None
        return f"http://{loopback.HOST}:{self._server.server_address[1]}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request as asked."""
        asked = request.headers.get("Range", "")
        self.requests.append((request.path, asked))
        request.close_connection = True
        how = next((how for end, how in self.misbehaviour.items() if request.path.endswith(end)), None)
        path = self.folder / request.path.lstrip("/")
        try:
            if how is None and not path.is_file():
                request.send_error(404)
            else:
                self._send(request, path.read_bytes() if path.is_file() else b"", asked, how)
        except OSError:
            return

    def _send(self, request: BaseHTTPRequestHandler, content: bytes, asked: str, how: Misbehaviour | None) -> None:
        if how is Misbehaviour.REDIRECTED:
            request.send_response(301)
            request.send_header("Location", f"{self.elsewhere}{request.path}")
            request.send_header("Content-Length", "0")
            request.end_headers()
        elif how is Misbehaviour.ERROR:
            request.send_error(500)
        elif how is Misbehaviour.DRIPPING_HEADERS:
            self._for_ever(request, lambda: b"x", b"HTTP/1.1 200 OK\r\nX-Slow: ", DRIP_SECONDS)
        elif how in (Misbehaviour.ENDLESS, Misbehaviour.DRIP):
            block, pause = (BLOCK, 0.0) if how is Misbehaviour.ENDLESS else (b"\0", DRIP_SECONDS)
            self._for_ever(request, lambda: block, b"HTTP/1.1 200 OK\r\n\r\n", pause)
        else:
            self._send_file(request, content, asked, how)

    def _send_file(self, request: BaseHTTPRequestHandler, content: bytes, asked: str, how: Misbehaviour | None) -> None:
        if how is Misbehaviour.FLIPPED:
            content = content[:-1] + bytes([content[-1] ^ 1])
        if how is Misbehaviour.SHORT:
            content = content[:-1]
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        request.send_response(206 if asked else 200)
        if asked:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        rest = content[start:]
        request.wfile.write(rest[: len(rest) // 2] if how is Misbehaviour.CUT else rest)

    def _for_ever(self, request: BaseHTTPRequestHandler, block: Callable[[], bytes], head: bytes, pause: float) -> None:
        request.wfile.write(head)
        while not self._stopping.is_set():
            request.wfile.write(block())
            request.wfile.flush()
            time.sleep(pause)
