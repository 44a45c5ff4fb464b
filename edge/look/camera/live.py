"""Live video through OpenCV: what V4L2 and network cameras have in common."""

import queue
import threading
import time
from datetime import UTC, datetime
from typing import Any, Final

import cv2
import numpy as np

from edge.errors import CameraGone
from edge.look.camera.pace import Pace
from edge.look.camera_port import Frame

BYTES_PER_KBIT: Final = 125

CLOSE_SECONDS: Final = 2.0
"""Wait for a grab under way when the camera is closed; one that hangs longer is left to the process's end."""

Gone = str
"""Why there will be no frame."""


class Live:
    """An opened capture that always gives the newest frame.

    A thread of its own takes every frame from the driver or the network, so that nothing stale is ever buffered; only
    the frame that is asked for is decoded to pixels.
    """

    def __init__(self, capture: Any, name: str, *, pace: Pace, bit_rate_kbps: float, timeout_seconds: float) -> None:
        self._capture = capture
        self._name = name
        self._pace = pace
        self._bytes_per_second = bit_rate_kbps * BYTES_PER_KBIT
        self._timeout_seconds = timeout_seconds
        self._before = time.monotonic()
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._frames: queue.SimpleQueue[Frame | Gone] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._take_all, name="camera", daemon=True)
        self._thread.start()

    def read(self) -> Frame:
        """Wait for the pace and return the newest frame; raises `CameraGone`."""
        self._pace.wait()
        self._wanted.set()
        try:
            found = self._frames.get(timeout=self._timeout_seconds)
        except queue.Empty as error:
            raise CameraGone(f"{self._name}: no frame for {self._timeout_seconds:g} s; see whether it works") from error
        if isinstance(found, Gone):
            raise CameraGone(f"{self._name}: {found}")
        return found

    def close(self) -> None:
        """Let the camera go."""
        self._closing.set()
        self._thread.join(CLOSE_SECONDS)

    def _take_all(self) -> None:
        """Take frames until the camera is closed or gone, handing over those that are wanted."""
        while not self._closing.is_set():
            if not self._capture.grab():
                self._frames.put("no more frames; see whether the camera is plugged in and powered")
                break
            if self._wanted.is_set():
                self._wanted.clear()
                self._frames.put(self._decode())
        self._capture.release()

    def _decode(self) -> Frame | Gone:
        captured_at, at = datetime.now(UTC), time.monotonic()
        ok, bgr = self._capture.retrieve()
        if not ok:
            return "the frame could not be decoded; see whether the camera still works"
        frame = Frame(np.asarray(bgr, np.uint8), captured_at, at, (at - self._before) * self._bytes_per_second)
        self._before = at
        return frame


def capture(source: str, backend: int, settings: dict[int, int], name: str, advice: str) -> Any:
    """Open a source with an OpenCV backend (`cv2.CAP_...`) and properties (`cv2.CAP_PROP_...`).

    Raises `CameraGone` with the camera's name and advice.
    """
    found = cv2.VideoCapture(source, backend, [number for pair in settings.items() for number in pair])
    if not found.isOpened():
        found.release()
        raise CameraGone(f"{name}: the camera cannot be opened; {advice}")
    return found
