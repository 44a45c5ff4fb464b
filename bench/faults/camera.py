"""A network camera that gives one JPEG at a time, of a scene that changes every second."""

import contextlib
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from edge.infer import image

COLOURS: Final = ((0, 0, 220), (0, 200, 0), (220, 0, 0), (10, 10, 10))
"""Blue first; the tiny bundle of the tests has a word for each."""

SCENE_SECONDS: Final = 0.7


@dataclass
class SnapshotCamera:
    """Serves while it is entered."""

    _server: ThreadingHTTPServer = field(init=False)

    def __enter__(self) -> Self:
        pictures = [_draw(number, colour) for number, colour in enumerate(COLOURS)]

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the name that http.server calls
                body = pictures[int(time.monotonic() / SCENE_SECONDS) % len(pictures)]
                with contextlib.suppress(ConnectionError):  # the device was killed meanwhile
                    self.send_response(200)
                    self.send_header("Content-Type", "image/jpeg")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Address of its picture."""
        return f"http://127.0.0.1:{self._server.server_port}/snapshot.jpg"


def _draw(number: int, colour: tuple[int, int, int]) -> bytes:
    """A plain scene with some rectangles, so that it counts as a picture that shows something."""
    draw = np.random.default_rng(number)
    picture = np.full((240, 320, 3), colour, np.uint8)
    for _ in range(6):
        top, left = int(draw.integers(0, 200)), int(draw.integers(0, 280))
        picture[top : top + 24, left : left + 24] = draw.integers(0, 256, 3)
    return image.encode_jpeg(picture)
