"""Network cameras, against one that streams motion JPEG over HTTP."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge import config
from edge.errors import CameraGone, Misconfigured
from edge.look.camera import rtsp
from edge.look.camera.arrays import Arrays
from edge.look.camera.pace import Pace
from testing.loopback import free_port
from tests.edge.look.camera.mjpeg import MjpegCamera

PERIOD = 0.15


@contextmanager
def opened(url: str, **more: object) -> Iterator[Arrays]:
    known: dict[str, object] = {"url": url, "timeout_seconds": 5.0, "bit_rate_kbps": 800.0}
    settings = config.Rtsp(**(known | more))  # type: ignore[arg-type]  # the tests' own keywords
    camera = Arrays(rtsp.open_camera(settings, Pace(PERIOD)))
    try:
        yield camera
    finally:
        camera.close()


def exhaust(camera: Arrays) -> None:
    """Read far more frames than there will be."""
    for _ in range(99):
        camera.read()


def test_each_look_gives_the_newest_frame() -> None:
    with MjpegCamera() as server, opened(server.url) as camera:
        frames = [camera.read() for _ in range(6)]

    brightness = [int(frame.bgr[0, 0, 0]) for frame in frames]
    steps = [after - before for before, after in itertools.pairwise(brightness[1:])]
    assert frames[0].bgr.shape == (48, 64, 3)
    assert all(step >= 2 for step in steps), "at 20 frames and 7 looks a second, frames between two looks are left out"
    assert all(after.captured_at > before.captured_at for before, after in itertools.pairwise(frames))


def test_video_bytes_are_the_time_seen_at_the_bit_rate() -> None:
    with MjpegCamera() as server, opened(server.url) as camera:
        frames = [camera.read() for _ in range(5)]

    seconds = frames[-1].at - frames[0].at
    assert sum(frame.video_bytes for frame in frames[1:]) == pytest.approx(seconds * 800 * 1000 / 8)


def test_a_camera_that_hangs_up_is_connected_to_again() -> None:
    with MjpegCamera(frames=10) as server, opened(server.url) as camera:
        brightness = [int(camera.read().bgr[0, 0, 0]) for _ in range(9)]

    assert len(brightness) == 9
    assert any(after < before for before, after in itertools.pairwise(brightness)), "its pictures began anew"


def test_a_camera_that_hangs_up_for_good_is_gone() -> None:
    with (
        MjpegCamera(frames=10, connections=1) as server,
        opened(server.url, timeout_seconds=1.0) as camera,
        pytest.raises(CameraGone, match=r"stream\.mjpg: no frame for 1 s"),
    ):
        exhaust(camera)


def test_a_bad_part_of_a_stream_costs_a_moment_and_no_camera() -> None:
    with MjpegCamera(bad_part=5) as server, opened(server.url) as camera:
        frames = [camera.read() for _ in range(8)]

    assert int(frames[-1].bgr[0, 0, 0]) > 5


def test_a_password_in_the_query_is_sent_and_told_to_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "password").write_text("p@ss/word\n", encoding="utf-8")
    with MjpegCamera(frames=5) as server:
        url = f"{server.url}?user=viewer&password={{password}}"
        with opened(url, password_file=tmp_path / "password", timeout_seconds=2.0) as camera:
            for _ in range(4):
                camera.read()
    assert "password=p%40ss%2Fword" in server.requested[0]
    said = " ".join(str(vars(record)) for record in caplog.records)
    assert "camera interrupted" in said
    assert "p@ss" not in said
    assert "p%40ss" not in said


def test_no_message_about_a_camera_holds_its_password() -> None:
    url = f"rtsp://127.0.0.1:{free_port()}/h264?password=hunter2&channel=1"

    with pytest.raises(CameraGone, match=r"password=\*\*\*&channel=1") as caught, opened(url):
        pass

    assert "hunter2" not in str(caught.value)


def test_a_camera_that_falls_silent_is_gone() -> None:
    with MjpegCamera() as server, opened(server.url, timeout_seconds=1.0) as camera:
        camera.read()
        server.silent.set()

        with pytest.raises(CameraGone, match=r"stream\.mjpg: no "):
            exhaust(camera)


def test_user_name_and_password_are_sent(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss/word\n", encoding="utf-8")
    with MjpegCamera(password="p@ss/word") as server:
        with opened(server.url, username="viewer", password_file=tmp_path / "password") as camera:
            assert camera.read().bgr.shape == (48, 64, 3)

        (tmp_path / "password").write_text("wrong", encoding="utf-8")
        with (
            pytest.raises(CameraGone, match="user name and password") as caught,
            opened(server.url, username="viewer", password_file=tmp_path / "password"),
        ):
            pass

    assert "wrong" not in str(caught.value)


def test_a_camera_that_is_not_there_is_named() -> None:
    url = f"rtsp://127.0.0.1:{free_port()}/stream1"

    with pytest.raises(CameraGone, match=f"{url}: the camera cannot be opened; see whether it is on"), opened(url):
        pass


def test_a_password_in_the_address_is_refused() -> None:
    with pytest.raises(Misconfigured, match=r"`camera\.url` holds a user name"), opened("rtsp://me:secret@host/"):
        pass
