"""A network camera that speaks RTSP: a real server, GStreamer's, whose film is pulled as the device does it."""

import itertools
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.status import Condition
from edge import config
from edge.errors import CameraGone
from edge.look.camera import rtsp
from edge.look.camera.arrays import Arrays
from edge.look.camera.pace import Pace
from edge.look.condition.measure import measure
from edge.look.condition.watch import ConditionWatch
from testing.loopback import free_port
from tests.edge.look.camera import rtsp_server
from tests.edge.look.camera.rtsp_server import RtspServer

PASSWORD = "p@ss/word"

RINGS = "zone-plate kx2=12 ky2=12 kt=2"
"""What GStreamer calls rings that grow."""

FLAT = 3.0
"""Standard deviation, in grey levels, of a frame without content."""


@pytest.fixture(scope="module", autouse=True)
def _gstreamer() -> None:
    why = rtsp_server.missing()
    if why:
        pytest.skip(f"GStreamer's RTSP server is not here: {why}")


@pytest.fixture
def server() -> Iterator[RtspServer]:
    with RtspServer(free_port(), password=PASSWORD) as made:
        yield made


def opened(server: RtspServer, folder: Path, password: str = PASSWORD, period: float = 0.2) -> Arrays:
    (folder / "password").write_text(f"{password}\n", encoding="utf-8")
    settings = config.Rtsp(
        url=server.url, username="viewer", password_file=folder / "password", timeout_seconds=30.0, bit_rate_kbps=800.0
    )
    return Arrays(rtsp.open_camera(settings, Pace(period)))


def test_a_stream_is_seen_as_it_goes_on(server: RtspServer, tmp_path: Path) -> None:
    camera = opened(server, tmp_path)
    try:
        frames = [camera.read() for _ in range(5)]
    finally:
        camera.close()

    assert {frame.bgr.shape for frame in frames} == {(360, 640, 3)}
    assert all((before.bgr != after.bgr).any() for before, after in itertools.pairwise(frames)), "the ball moves"
    assert all(after.at > before.at for before, after in itertools.pairwise(frames))


def test_a_server_that_is_killed_and_comes_back_is_found_again_without_a_new_camera(
    server: RtspServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    camera = opened(server, tmp_path)
    try:
        camera.read()
        server.kill()
        back = threading.Timer(2.0, server.start)
        back.start()
        frames = [camera.read()]
        while "camera back" not in caplog.messages:
            frames.append(camera.read())
        last, first = frames[-1], camera.read()
        back.join()
    finally:
        camera.close()

    assert caplog.messages == ["camera interrupted", "camera back"]
    assert first.at > last.at


def test_the_password_of_a_digest_login_comes_from_its_file_and_is_told_to_nobody(
    server: RtspServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(CameraGone, match="user name and password are right") as caught:
        opened(server, tmp_path, "wr0ng")
    camera = opened(server, tmp_path)
    camera.read()
    camera.close()

    said = " ".join([str(caught.value), *(str(vars(record)) for record in caplog.records)])
    assert "wr0ng" not in said
    assert "p@ss" not in said
    assert "p%40ss" not in said


def test_where_key_frames_are_enough_no_other_is_decoded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with RtspServer(free_port(), key_frame_every=5) as server:
        camera = Arrays(rtsp.open_camera(config.Rtsp(url=server.url, timeout_seconds=30.0), Pace(0.5)))
        try:
            while "decoding" not in caplog.messages:
                camera.read()
            frames = [camera.read() for _ in range(3)]
        finally:
            camera.close()

    said = next(record for record in caplog.records if record.getMessage() == "decoding")
    assert said.__dict__["reason"] == "key frames are enough"
    assert all((before.bgr != after.bgr).any() for before, after in itertools.pairwise(frames))
    assert not any(frame.is_damaged for frame in frames)


def test_without_the_hardware_that_is_wanted_the_processor_decodes(
    server: RtspServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "password").write_text(PASSWORD, encoding="utf-8")
    settings = config.Rtsp(
        url=server.url, username="viewer", password_file=tmp_path / "password", hardware_decoding="v4l2m2m"
    )
    camera = Arrays(rtsp.open_camera(settings, Pace(0.2)))
    try:
        assert camera.read().bgr.shape == (360, 640, 3)
    finally:
        camera.close()

    assert caplog.messages[0] == "hardware decoding not used"
    assert "h264_v4l2m2m" in caplog.records[0].__dict__["reason"]


def judged(server: RtspServer, looks: int) -> tuple[ConditionWatch, list[bool], list[bool]]:
    """Look at a stream as if once a second; return what stands, which frames are flat, and of which nothing is said."""
    watched, flat, unsaid = ConditionWatch(), [], []
    camera = Arrays(rtsp.open_camera(config.Rtsp(url=server.url, timeout_seconds=30.0), Pace(0.1)))
    try:
        for second in range(looks):
            frame = camera.read()
            found = measure(frame.bgr, is_guessed=frame.is_damaged)
            watched.look(found, float(second), frame.captured_at)
            flat.append(float(frame.bgr.std()) < FLAT)
            unsaid.append(watched.hides_view)
    finally:
        camera.close()
    return watched, flat, unsaid


def test_a_stream_whose_data_is_changed_on_the_way_is_corrupt_and_nothing_is_said_of_flat_frames() -> None:
    with RtspServer(free_port(), pattern=RINGS, key_frame_every=250, lost=0.3, changed=0.02) as server:
        watched, flat, unsaid = judged(server, 30)

    assert Condition.CORRUPT in [name for name, _ in watched.active]
    assert any(flat)
    assert all(nothing for is_flat, nothing in zip(flat, unsaid, strict=True) if is_flat)


def test_a_stream_that_loses_frames_and_still_shows_its_scene_is_not_corrupt() -> None:
    with RtspServer(free_port(), pattern=RINGS, lost=0.4) as server:
        watched, flat, unsaid = judged(server, 30)

    assert watched.active == ()
    assert not any(flat)
    assert not any(unsaid)
