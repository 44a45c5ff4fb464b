"""The HTTP server of the monitor: metrics and health checks."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from broker.monitor.health import Check, Health, as_json
from foundation.errors import from_os_error

log = logging.getLogger(__name__)

PATIENCE_SECONDS: Final = 5
"""For the bytes of a request: a slower client is disconnected."""

AT_ONCE: Final = 16
"""Requests that are answered at the same time; a probe and a scrape are two."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    kind: str
    body: bytes


Page = Callable[[str], Answer]
"""Makes an answer from the request's `Accept`."""


def pages(registry: CollectorRegistry, health: Health) -> Mapping[str, Page]:
    """Return everything that can be asked for, by its path."""

    def metrics(accept: str) -> Answer:
        encode, kind = choose_encoder(accept)
        return Answer(200, kind, encode(registry))

    return {
        "/metrics": metrics,
        "/healthz": lambda _: checked("alive", health.alive()),
        "/readyz": lambda _: checked("ready", health.ready()),
    }


def checked(word: str, checks: Sequence[Check]) -> Answer:
    """Return whether all is well, and how each check went: 200, or 503 where one failed."""
    fine = all(check.ok for check in checks)
    body = json.dumps(as_json(word, checks), ensure_ascii=False).encode() + b"\n"
    return Answer(200 if fine else 503, "application/json", body)


class MonitorServer:
    """Listens from the start to `stop`; raises `Unavailable` where the port is taken."""

    def __init__(self, host: str, port: int, pages_: Mapping[str, Page]) -> None:
        self._server = _server(host, port, pages_)
        number = self._server.server_port
        self.address = f"http://[{host}]:{number}" if ":" in host else f"http://{host}:{number}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="monitor", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        log.info("monitor", extra={"address": self.address})

    def stop(self) -> None:
        """Close the server."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def _server(host: str, port: int, pages_: Mapping[str, Page]) -> ThreadingHTTPServer:
    room = threading.BoundedSemaphore(AT_ONCE)

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

        def process_request(self, request: Any, client_address: Any) -> None:
            if room.acquire(blocking=False):
                super().process_request(request, client_address)
            else:
                self.shutdown_request(request)

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            try:
                super().process_request_thread(request, client_address)
            finally:
                room.release()

        def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base's
            log.debug("a request broke off", exc_info=True)

    try:
        return Server((host, port), _handler(pages_))
    except OSError as error:
        raise from_os_error(error, f"monitor.port: {host}:{port}", remedy="name another `host` or `port`") from error


def _handler(pages_: Mapping[str, Page]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE_SECONDS
        server_version = "wordcam"
        sys_version = ""

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            page = pages_.get(self.path.partition("?")[0])
            answer = page(self.headers.get("Accept", "")) if page else Answer(404, "text/plain", b"not here\n")
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            if with_body:
                self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            log.debug("asked", extra={"request": format % args})

    return Handler
