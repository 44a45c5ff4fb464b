"""A camera that gives one JPEG at a time, against a real HTTP server."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge import config
from edge.errors import CameraGone
from edge.infer import image
from edge.look.camera import snapshot
from edge.look.camera.pace import Pace

JPEG = image.encode_jpeg(np.full((48, 64, 3), 90, np.uint8))


class Camera(http.server.ThreadingHTTPServer):
    """Answers by what is next in `answers`, the last of them for ever."""

    def __init__(self) -> None:
        self.answers: list[bytes | int] = [JPEG]
        self.requested: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/snapshot.jpg"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Camera

    def do_GET(self) -> None:
        self.server.requested.append(self.path)
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, int):
            self.send_error(answer)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the parent's name for it
        """Tests are quiet."""


@pytest.fixture
def server() -> Iterator[Camera]:
    with Camera() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def opened(server: Camera, **more: object) -> snapshot.Snapshot:
    known: dict[str, object] = {"url": server.url, "timeout_seconds": 5.0}
    settings = config.Snapshot(**(known | more))  # type: ignore[arg-type]  # the tests' own keywords
    return snapshot.open_camera(settings, Pace(0.01))


def test_each_look_fetches_a_picture_and_counts_its_bytes(server: Camera) -> None:
    camera = opened(server)

    frames = [camera.read() for _ in range(3)]

    assert [frame.bgr.shape for frame in frames] == [(48, 64, 3)] * 3
    assert [frame.video_bytes for frame in frames] == [len(JPEG)] * 3
    assert len(server.requested) == 3


def test_an_error_and_half_a_picture_are_borne(server: Camera) -> None:
    server.answers = [503, b"", b"no picture", JPEG]

    assert opened(server).read().bgr.shape == (48, 64, 3)
    assert len(server.requested) == 4


def test_a_camera_that_gives_no_picture_for_its_timeout_is_gone_and_its_password_stays_secret(
    server: Camera, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("hunter2", encoding="utf-8")
    server.answers = [401]
    camera = opened(
        server,
        url=f"{server.url}?password={{password}}",
        password_file=tmp_path / "password",
        timeout_seconds=0.2,
    )

    with pytest.raises(CameraGone, match=r"snapshot\.jpg\?password=\{password\}: no picture: HTTP 401") as caught:
        camera.read()

    assert "hunter2" in server.requested[0]
    assert "hunter2" not in str(caught.value)
