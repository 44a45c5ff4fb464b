"""A text-message gateway on this machine that speaks Twilio's API, notes when it took what, and takes its time."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qs

THINKS_SECONDS: Final = 0.05
"""Until it answers, as one that is some way off."""

ACCOUNT: Final = "AC" + "0" * 32


class Gateway:
    """One server. `accepted` says by the monotonic clock when each text was taken."""

    def __init__(self) -> None:
        self.accepted: list[tuple[float, str]] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # the base's name
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                time.sleep(THINKS_SECONDS)
                gateway.accepted.append((time.monotonic(), form["Body"][0]))
                answer = b'{"sid": "SM%032x", "status": "queued"}' % len(gateway.accepted)
                self.send_response(201)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
