"""A network camera for tests: motion JPEG over HTTP, as cheap IP cameras speak it."""

import base64
import http.server
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import numpy as np

from edge.infer import image
from tests.edge import pictures

BOUNDARY = "frame"


class MjpegCamera:
    """Streams a picture whose brightness counts up, 20 times a second, to who knows the password."""

    def __init__(
        self,
        *,
        frames: int = 100_000,
        password: str = "",
        connections: int = 1_000,
        bad_part: int = -1,
        address: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        """Only so many connections are answered; the part `bad_part` of the first holds no JPEG, and lies about it."""
        self.frames = frames
        self.password = password
        self.connections, self.bad_part = connections, bad_part
        self.requested: list[str] = []
        self.silent = threading.Event()
        self._server = http.server.ThreadingHTTPServer(address, self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.silent.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it streams."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/stream.mjpg"

    def pictures(self) -> Iterator[bytes]:
        """Yield its pictures as JPEG files."""
        for number in range(self.frames):
            yield image.encode_jpeg(np.full((48, 64, 3), number % 256, np.uint8))

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        camera = self
        expected = "Basic " + base64.b64encode(f"viewer:{self.password}".encode()).decode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera.requested.append(self.path)
                if camera.password and self.headers.get("Authorization") != expected:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                    self.end_headers()
                    return
                if len(camera.requested) > camera.connections:
                    self.send_error(503)
                    return
                self.send_response(200)
                self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
                self.end_headers()
                try:
                    self._stream()
                except OSError:
                    return

            def _stream(self) -> None:
                for number, jpeg in enumerate(camera.pictures()):
                    if number == camera.bad_part and len(camera.requested) == 1:
                        self.wfile.write(b"--no boundary\r\nContent-Length: 7\r\n\r\n" + jpeg[:20])
                    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
                    camera.silent.wait(0.05)
                    while camera.silent.is_set() and camera._thread.is_alive():
                        threading.Event().wait(0.05)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the parent's name for it
                """Tests are quiet."""

        return Handler


class SceneCamera(MjpegCamera):
    """Streams a scene whose colour changes twice a second: of a plain grey one, nothing is said."""

    def pictures(self) -> Iterator[bytes]:
        """Yield its pictures as JPEG files."""
        shade = np.linspace(0.4, 1.0, 48)[:, None] * np.linspace(0.4, 1.0, 64)
        colours = (pictures.RED, pictures.GREEN, pictures.BLUE)
        for number in range(self.frames):
            scene = pictures.plain(colours[number // 10 % len(colours)], 48, 64) * shade[..., None]
            yield image.encode_jpeg(scene.astype(np.uint8))
