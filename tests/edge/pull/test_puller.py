"""Pulling: whatever becomes of the camera, it goes on."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from edge.errors import CameraGone, Misconfigured
from edge.look.camera.frame_reader import FrameReader
from edge.look.camera.frame_ring import FrameWriter, PullState
from edge.look.camera_port import Frame
from edge.pull.puller import pull


class Flaky:
    """A camera that gives a few frames and is gone."""

    def __init__(self, frames: int, then: threading.Event | None = None) -> None:
        self._left, self._then = frames, then
        self.closed = False

    def read(self) -> Frame:
        if not self._left:
            if self._then is not None:
                self._then.set()
            raise CameraGone("camera: no more frames")
        self._left -= 1
        return Frame(np.full((8, 8, 3), self._left, np.uint8), datetime(2026, 1, 1, tzinfo=UTC), 1.0, 1.0)

    def close(self) -> None:
        self.closed = True


class Impatient(threading.Event):
    """Waits for nothing."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def test_a_camera_that_comes_and_goes_is_opened_again_and_again(tmp_path: Path) -> None:
    stop = Impatient()
    cameras = [Flaky(2), Flaky(3), Flaky(4, then=stop)]
    states: list[PullState | None] = []
    reader = FrameReader(tmp_path / "f")

    left: Iterator[Flaky | None] = iter([None, cameras[0], None, *cameras[1:]])

    def connect() -> Flaky:
        states.append(reader.state()[0])
        if (camera := next(left)) is None:
            raise CameraGone("camera: cannot be opened")
        return camera

    worked: list[int] = []
    pull(connect, FrameWriter(tmp_path / "f"), stop, on_work=lambda: worked.append(1), on_progress=lambda: None)

    assert states == [
        PullState.CONNECTING,
        PullState.UNREACHABLE,
        PullState.INTERRUPTED,
        PullState.UNREACHABLE,
        PullState.INTERRUPTED,
    ]
    assert len(worked) == 3
    assert all(camera.closed for camera in cameras)
    assert reader.state()[0] is PullState.STOPPED


def test_what_only_the_operator_can_mend_ends_it(tmp_path: Path) -> None:
    def connect() -> Flaky:
        raise Misconfigured("camera.password_file: no such file")

    with pytest.raises(Misconfigured):
        pull(connect, FrameWriter(tmp_path / "f"), Impatient(), on_work=lambda: None, on_progress=lambda: None)
