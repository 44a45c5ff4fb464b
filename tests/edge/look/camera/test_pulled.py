"""A network camera without a network: what `pull` hands over."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from edge import config
from edge.errors import CameraUnreachable
from edge.look.camera.frame_reader import FrameReader
from edge.look.camera.frame_ring import FrameWriter, PullState
from edge.look.camera.pulled import SILENT_SECONDS, Pulled
from edge.look.camera_port import Frame

CAMERA = config.Rtsp(url="rtsp://192.0.2.7/live?password=hunter2", timeout_seconds=0.05)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_frames_are_read_as_they_come(tmp_path: Path) -> None:
    writer = FrameWriter(tmp_path / "f")
    camera = Pulled(CAMERA, FrameReader(tmp_path / "f"), threading.Event())
    later = threading.Timer(0.02, lambda: writer.write(Frame(np.zeros((8, 8, 3), np.uint8), NOON, 1.0, 1.0)))
    later.start()
    try:
        frame = None
        while frame is None:
            try:
                frame = camera.read()
            except CameraUnreachable:
                continue
        assert frame.captured_at == NOON
    finally:
        later.join()
        camera.close()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (None, "`wordcam-edge pull` does not run"),
        (PullState.STOPPED, "`wordcam-edge pull` does not run"),
        (PullState.UNREACHABLE, "camera unreachable; see whether it is on, and its address, user name and password"),
        (PullState.STREAMING, "camera unreachable: no frame for 0.05 s"),
    ],
)
def test_why_no_frame_comes_is_said_without_the_password(tmp_path: Path, state: PullState | None, said: str) -> None:
    if state is not None:
        FrameWriter(tmp_path / "f").say(state)
    camera = Pulled(CAMERA, FrameReader(tmp_path / "f"), threading.Event())

    with pytest.raises(CameraUnreachable) as caught:
        camera.read()

    assert str(caught.value) == f"rtsp://192.0.2.7/live?password=***: {said}"


def test_a_puller_that_has_said_nothing_for_long_does_not_run(tmp_path: Path) -> None:
    long_ago = time.monotonic() - SILENT_SECONDS - 1
    FrameWriter(tmp_path / "f", clock=lambda: long_ago).say(PullState.STREAMING)

    with pytest.raises(CameraUnreachable, match="`wordcam-edge pull` does not run"):
        Pulled(CAMERA, FrameReader(tmp_path / "f"), threading.Event()).read()


def test_a_process_that_is_to_stop_waits_for_no_frame(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()

    assert Pulled(CAMERA, FrameReader(tmp_path / "f"), stop).read() is None
