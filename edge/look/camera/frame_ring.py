"""Frames handed from the process that pulls to the one that looks, through a file in memory: its layout and its writer.

The writer keeps the last frames in slots, each with a number that is written last (a seqlock); the reader takes the
newest, and takes it again where it was overwritten meanwhile. The file goes one way: the reader opens it for reading
alone, never maps it, so that a shortened file is a short read and no fault, and believes no number in it unchecked.
"""

import fcntl
import os
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import Final

from edge.errors import DiskFull, TryAgain
from edge.look.camera_port import BufferFrame, Frame

MAGIC: Final = b"wordcam2"

SLOTS: Final = 2
"""One to read from and one to write to: a reader has the time between two frames to copy one."""

MAX_FRAME_BYTES: Final = 128 << 20
"""Bytes of a picture at most: 8K."""

PAGE: Final = 4096
HEADER: Final = struct.Struct("<8sQQQQd")
"""Magic, session, state, bytes of a slot's picture, number of the newest frame (0: none), time of the last sign."""
SLOT: Final = struct.Struct("<QIIQddQ")
"""Number, height, width, nanoseconds since 1970, seconds on the monotonic clock, video bytes of the session so far,
and 1 where the picture is damaged."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PullState(IntEnum):
    """What the process that pulls is at; a number alone, so that it can say no more."""

    CONNECTING = 1
    """It connects to the camera for the first time."""
    STREAMING = 2
    """Frames come."""
    UNREACHABLE = 3
    """The camera cannot be opened; it tries again."""
    INTERRUPTED = 4
    """The camera was open and delivers nothing; it connects again."""
    STOPPED = 5
    """It has ended."""


STATES: Final = frozenset(map(int, PullState))


class FrameWriter:
    """The writing end; one at a time."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Open the file, or make it; raises `TryAgain` where another process writes it."""
        self._path, self._clock = path, clock
        # The group reads, where the units share it with `look`.
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise TryAgain(f"{path}: another `pull` is at work for this camera") from error
        os.ftruncate(self._file, PAGE)
        self._session = time.time_ns()
        self._slot_bytes = self._number = 0
        self._video_bytes = 0.0
        self._state = PullState.CONNECTING
        self.say(self._state)

    def say(self, state: PullState) -> None:
        """Say what this process is at, and that it lives."""
        self._state = state
        head = HEADER.pack(MAGIC, self._session, state, self._slot_bytes, self._number, self._clock())
        os.pwrite(self._file, head, 0)

    def write(self, frame: Frame | BufferFrame) -> None:
        """Hand a frame over; raises `DiskFull` where memory does not hold it."""
        pixels = frame.bgr if isinstance(frame, BufferFrame) else frame.bgr.data
        height, width, *_ = pixels.shape or ()
        if pixels.nbytes > self._slot_bytes:
            self._make_room(pixels.nbytes)
        self._number += 1
        self._video_bytes += frame.video_bytes
        at = offset(self._number, self._slot_bytes)
        head = SLOT.pack(
            self._number,
            height,
            width,
            (frame.captured_at - EPOCH) // timedelta(microseconds=1) * 1000,
            frame.at,
            self._video_bytes,
            frame.is_damaged,
        )
        os.pwrite(self._file, bytes(SLOT.size), at)
        os.pwrite(self._file, pixels.cast("B") if pixels.c_contiguous else pixels.tobytes(), at + PAGE)
        os.pwrite(self._file, head, at)
        self.say(PullState.STREAMING)

    def close(self) -> None:
        """Say that there will be no more frames, and give the last ones up."""
        self._slot_bytes = self._number = 0
        self.say(PullState.STOPPED)
        os.ftruncate(self._file, PAGE)
        os.close(self._file)

    def _make_room(self, size: int) -> None:
        """Lay the slots out anew for pictures of so many bytes."""
        self._slot_bytes, self._number = 0, 0
        self.say(self._state)
        slot_bytes = -(-size // PAGE) * PAGE
        try:
            os.posix_fallocate(self._file, 0, offset(SLOTS, slot_bytes) + SLOTS * (PAGE + slot_bytes))
        except OSError as error:
            raise DiskFull(
                f"{self._path}: no room for {SLOTS} pictures of {size:,} bytes; make the file system there larger, or "
                "have the camera send smaller pictures"
            ) from error
        self._slot_bytes = slot_bytes
        self._session = time.time_ns()


def offset(number: int, slot_bytes: int) -> int:
    """Return where the slot of a frame begins: a page for its numbers, then its pixels."""
    return PAGE + number % SLOTS * (PAGE + slot_bytes)
