"""Live video: what V4L2 and network cameras have in common."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from edge.errors import CameraGone
from edge.look.camera.pace import Pace
from edge.look.camera_port import BufferFrame

log = logging.getLogger(__name__)

BYTES_PER_KBIT: Final = 125

CLOSE_SECONDS: Final = 2.0
"""Wait for a grab under way when the camera is closed; one that hangs longer is left to the process's end."""

FAILED_GRABS: Final = 5
RETRY_SECONDS: Final = 0.1
"""Grabs that may fail one after the other, and the wait after each."""

RECONNECT_SECONDS: Final = 1.0
"""Wait between two attempts to connect again."""

Gone = str
"""Why there will be no frame."""


@dataclass(frozen=True, slots=True)
class Grabbed:
    """The pixels of a frame."""

    bgr: memoryview
    """uint8 [H, W, 3], blue first, contiguous."""
    is_damaged: bool = False


class Capture(Protocol):
    """An opened source of frames."""

    def grab(self) -> bool:
        """Take the next frame; False where that failed."""
        ...

    def retrieve(self) -> Grabbed | None:
        """Return the frame just taken; None where it is broken, and the next one has to do."""
        ...

    def release(self) -> None:
        """Let the source go."""
        ...


class Live:
    """An opened capture that always gives the newest frame.

    A thread of its own takes every frame from the driver or the network, so that nothing stale is ever buffered; only
    the frame that is asked for is turned into pixels.
    """

    def __init__(  # noqa: PLR0913  # an opened source, and how to read it
        self,
        capture: Capture,
        name: str,
        *,
        pace: Pace,
        bit_rate_kbps: float,
        timeout_seconds: float,
        connect: Callable[[], Capture] | None = None,
    ) -> None:
        """`connect` opens a source again that has ended, or raises `CameraGone`; without it, the end is the end."""
        self._capture = capture
        self._connect = connect
        self._name = name
        self._pace = pace
        self._bytes_per_second = bit_rate_kbps * BYTES_PER_KBIT
        self._timeout_seconds = timeout_seconds
        self._before = time.monotonic()
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._frames: queue.SimpleQueue[BufferFrame | Gone] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._take_all, name="camera", daemon=True)
        self._thread.start()

    def read(self) -> BufferFrame:
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
        while self._grab():
            if self._wanted.is_set() and (frame := self._decode()) is not None:
                self._wanted.clear()
                self._frames.put(frame)
        self._capture.release()

    def _grab(self) -> bool:
        """Take a frame, whatever fails in between; return False where there will be none."""
        failed = 0
        while not self._closing.is_set():
            if self._capture.grab():
                return True
            failed += 1
            if failed >= FAILED_GRABS:
                if not self._reconnect():
                    break
                failed = 0
            self._closing.wait(RETRY_SECONDS)
        return False

    def _reconnect(self) -> bool:
        """Open the source again, as often as it takes; return False where it cannot be, or is closed."""
        if self._connect is None:
            self._frames.put("no more frames; see whether the camera is plugged in and powered")
            return False
        log.warning("camera interrupted", extra={"camera": self._name, "reason": "no more frames"})
        self._capture.release()
        while not self._closing.is_set():
            try:
                self._capture = self._connect()
            except CameraGone:
                self._closing.wait(RECONNECT_SECONDS)
                continue
            log.info("camera back", extra={"camera": self._name})
            return True
        return False

    def _decode(self) -> BufferFrame | None:
        """Return the frame just taken; None where it is broken, and the next one has to do."""
        captured_at, at = datetime.now(UTC), time.monotonic()
        found = self._capture.retrieve()
        if found is None:
            return None
        video_bytes = (at - self._before) * self._bytes_per_second
        self._before = at
        return BufferFrame(found.bgr, captured_at, at, video_bytes, found.is_damaged)
