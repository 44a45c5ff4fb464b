"""The server of the page: on loopback alone, under an address that nobody can guess, until what is drawn is saved."""

import logging
import secrets
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import msgspec

from edge.errors import Misconfigured
from edge.zone_editor import areas
from edge.zone_editor.areas import Areas

log = logging.getLogger(__name__)

LOOPBACK: Final = "127.0.0.1"

STATIC: Final = Path(__file__).parent / "static"

FILES: Final = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
}

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""The page loads nothing from elsewhere, and no other page loads anything of it."""


class ZonePage:
    """One page over one picture, being served from construction on."""

    def __init__(self, jpeg: bytes, drawn: Areas, save: Callable[[Areas], str], port: int) -> None:
        """`save` keeps what was drawn, and says where; it raises `Misconfigured`. Port 0 takes any free one.

        Raises `OSError` where the port is taken.
        """
        self.saved = threading.Event()
        self.areas = drawn
        self._jpeg, self._save = jpeg, save
        self._secret = secrets.token_urlsafe(16)
        page = self

        class Handler(_Handler):
            of = page

        self._server = ThreadingHTTPServer((LOOPBACK, port), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="zone page", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where a browser of this machine finds it."""
        return f"http://{LOOPBACK}:{self.port}/{self._secret}/"

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def is_own(self, host: str | None) -> bool:
        """Return whether a request was made to this address: a name of elsewhere may lead to loopback, too."""
        return host in {f"{LOOPBACK}:{self.port}", f"localhost:{self.port}"}

    def asked(self, path: str) -> str | None:
        """Return what is asked for below the secret; None for any other address."""
        _, secret, *rest = path.partition("?")[0].split("/", 2)
        return rest[0] if rest and secrets.compare_digest(secret.encode(), self._secret.encode()) else None

    def get(self, name: str) -> tuple[bytes, str] | None:
        """Return a file of the page and its type."""
        if name == "still.jpg":
            return self._jpeg, "image/jpeg"
        if name == "areas.json":
            return msgspec.json.encode(self.areas), "application/json"
        file, kind = FILES.get(name, ("", ""))
        return ((STATIC / file).read_bytes(), kind) if file else None

    def put(self, body: bytes) -> tuple[HTTPStatus, dict[str, str]]:
        """Keep what was drawn, and answer."""
        try:
            drawn = areas.read(body)
            said = self._save(drawn)
        except Misconfigured as error:
            return HTTPStatus.BAD_REQUEST, {"problem": str(error)}
        self.areas = drawn
        self.saved.set()
        return HTTPStatus.OK, {"saved": said, "yaml": "\n".join(areas.lines(drawn))}


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    of: ZonePage
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """Answer with a file of the page."""
        name = self._asked()
        found = None if name is None else self.of.get(name)
        if found is None:
            self._answer(HTTPStatus.NOT_FOUND, b"", "text/plain")
        else:
            self._answer(HTTPStatus.OK, *found)

    def do_POST(self) -> None:
        """Take what was drawn."""
        length = self.headers.get("content-length", "")
        if self._asked() != "areas.json" or not length.isdecimal() or int(length) > areas.MAX_BYTES:
            self.close_connection = True
            self._answer(HTTPStatus.NOT_FOUND, b"", "text/plain")
            return
        status, said = self.of.put(self.rfile.read(int(length)))
        self._answer(status, msgspec.json.encode(said), "application/json")

    def _asked(self) -> str | None:
        return self.of.asked(self.path) if self.of.is_own(self.headers.get("host")) else None

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002  # the base calls it
        """Log without the address, which holds the secret."""
        log.debug("request", extra={"method": self.command})
