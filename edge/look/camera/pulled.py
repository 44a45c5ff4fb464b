"""A network camera as the process that looks has it: the frames that `pull` hands over, without any network."""

import threading
import time
from collections.abc import Callable
from typing import Final

from edge import config
from edge.errors import CameraUnreachable
from edge.look.camera import address
from edge.look.camera.frame_reader import FrameReader
from edge.look.camera.frame_ring import PullState
from edge.look.camera_port import Frame

POLL_SECONDS: Final = 0.01
"""Wait before looking again whether a frame has come; a look costs microseconds."""

SILENT_SECONDS: Final = 30.0
"""Without a sign of `pull` for so long beyond the camera's timeout, it does not run."""


class Pulled:
    """The frames of one camera, at the pace at which `pull` hands them over."""

    def __init__(
        self,
        settings: config.NetworkCamera,
        reader: FrameReader,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = address.masked(settings.url)
        self._timeout_seconds = settings.timeout_seconds
        self._reader, self._stop, self._clock = reader, stop, clock

    def read(self) -> Frame | None:
        """Wait for the next frame and return it; None once the process is to stop.

        Raises `CameraUnreachable` where none has come for the camera's timeout; it may be asked again.
        """
        deadline = self._clock() + self._timeout_seconds
        while not self._stop.is_set():
            frame = self._reader.newest()
            if frame is not None:
                return frame
            if self._clock() >= deadline:
                raise CameraUnreachable(f"{self._name}: {self._why()}")
            self._stop.wait(POLL_SECONDS)
        return None

    def close(self) -> None:
        """Let the file go."""
        self._reader.close()

    def _why(self) -> str:
        """Word why no frame comes, and have the file that is there now opened."""
        state, beat = self._reader.state()
        if state in (None, PullState.STOPPED) or self._clock() - beat > self._timeout_seconds + SILENT_SECONDS:
            return "`wordcam-edge pull` does not run"
        if state is PullState.UNREACHABLE:
            return "camera unreachable; see whether it is on, and its address, user name and password"
        return f"camera unreachable: no frame for {self._timeout_seconds:g} s"
