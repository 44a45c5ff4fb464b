"""Frames handed from the process that pulls to the one that looks, through a file in memory.

The writer keeps the last frames in slots, each with a number that is written last (a seqlock); the reader takes the
newest, and takes it again where it was overwritten meanwhile. The file goes one way: the reader opens it for reading
alone, never maps it, so that a shortened file is a short read and no fault, and believes no number in it unchecked.
"""

import fcntl
import math
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import Final

import numpy as np

from edge.errors import DiskFull, TryAgain
from edge.infer.image import MAX_SIDE, Picture
from edge.look.camera_port import Frame

MAGIC: Final = b"wordcam1"

SLOTS: Final = 2
"""One to read from and one to write to: a reader has the time between two frames to copy one."""

MAX_FRAME_BYTES: Final = 128 << 20
"""Bytes of a picture at most: 8K."""

MAX_VIDEO_BYTES: Final = 1 << 40
"""Bytes of video between two frames at most: more than any network carries meanwhile."""

MAX_NANOSECONDS: Final = 7_258_118_400 * 10**9
"""The year 2200, from which the contract takes no moment."""

TRIES: Final = 3
"""Times that a frame is copied which was overwritten meanwhile."""

_PAGE: Final = 4096
_HEADER: Final = struct.Struct("<8sQQQQd")
"""Magic, session, state, bytes of a slot's picture, number of the newest frame (0: none), time of the last sign."""
_SLOT: Final = struct.Struct("<QIIQdd")
"""Number, height, width, nanoseconds since 1970, seconds on the monotonic clock, video bytes of the session so far."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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


_STATES: Final = frozenset(map(int, PullState))


@dataclass(frozen=True, slots=True)
class _Header:
    session: int
    state: int
    slot_bytes: int
    newest: int
    beat: float


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
        os.ftruncate(self._file, _PAGE)
        self._session = time.time_ns()
        self._slot_bytes = self._number = 0
        self._video_bytes = 0.0
        self._state = PullState.CONNECTING
        self.say(self._state)

    def say(self, state: PullState) -> None:
        """Say what this process is at, and that it lives."""
        self._state = state
        head = _HEADER.pack(MAGIC, self._session, state, self._slot_bytes, self._number, self._clock())
        os.pwrite(self._file, head, 0)

    def write(self, frame: Frame) -> None:
        """Hand a frame over; raises `DiskFull` where memory does not hold it."""
        pixels = np.ascontiguousarray(frame.bgr)
        if pixels.nbytes > self._slot_bytes:
            self._make_room(pixels.nbytes)
        self._number += 1
        self._video_bytes += frame.video_bytes
        at = _offset(self._number, self._slot_bytes)
        head = _SLOT.pack(
            self._number,
            *pixels.shape[:2],
            (frame.captured_at - _EPOCH) // timedelta(microseconds=1) * 1000,
            frame.at,
            self._video_bytes,
        )
        os.pwrite(self._file, bytes(_SLOT.size), at)
        os.pwrite(self._file, pixels.data.cast("B"), at + _PAGE)
        os.pwrite(self._file, head, at)
        self.say(PullState.STREAMING)

    def close(self) -> None:
        """Say that there will be no more frames, and give the last ones up."""
        self._slot_bytes = self._number = 0
        self.say(PullState.STOPPED)
        os.ftruncate(self._file, _PAGE)
        os.close(self._file)

    def _make_room(self, size: int) -> None:
        """Lay the slots out anew for pictures of so many bytes."""
        self._slot_bytes, self._number = 0, 0
        self.say(self._state)
        slot_bytes = -(-size // _PAGE) * _PAGE
        try:
            os.posix_fallocate(self._file, 0, _offset(SLOTS, slot_bytes) + SLOTS * (_PAGE + slot_bytes))
        except OSError as error:
            raise DiskFull(
                f"{self._path}: no room for {SLOTS} pictures of {size:,} bytes; make the file system there larger, or "
                "have the camera send smaller pictures"
            ) from error
        self._slot_bytes = slot_bytes
        self._session = time.time_ns()


class FrameReader:
    """The reading end, which the file may come, go and be replaced under."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self._session = self._seen = 0
        self._video_bytes = 0.0

    def newest(self) -> Frame | None:
        """Return the newest frame that was not returned before; None where there is none yet."""
        for _ in range(TRIES):
            header = self._header()
            if header is None or not header.newest:
                return None
            if header.session != self._session:
                self._session, self._seen, self._video_bytes = header.session, 0, 0.0
            if header.newest <= self._seen:
                return None
            frame = self._take(header)
            if frame is not None:
                self._seen = header.newest
                return frame
        return None

    def state(self) -> tuple[PullState | None, float]:
        """Return what the process that pulls last said, or None, and when, on the monotonic clock."""
        self._reopen()
        header = self._header()
        if header is None or header.state not in _STATES:
            return None, 0.0
        return PullState(header.state), header.beat

    def close(self) -> None:
        """Let the file go."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _reopen(self) -> None:
        """Open the file that is there now."""
        self.close()
        try:
            self._file = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            self._file = -1

    def _header(self) -> _Header | None:
        if self._file < 0:
            self._reopen()
        if self._file < 0:
            return None
        found = os.pread(self._file, _HEADER.size, 0)
        if len(found) < _HEADER.size:
            return None
        magic, session, state, slot_bytes, newest, beat = _HEADER.unpack(found)
        if magic != MAGIC or slot_bytes > MAX_FRAME_BYTES:
            return None
        return _Header(session, state, slot_bytes, newest, beat)

    def _take(self, header: _Header) -> Frame | None:
        """Copy the newest frame; None where it is not whole."""
        at = _offset(header.newest, header.slot_bytes)
        head = os.pread(self._file, _SLOT.size, at)
        if len(head) < _SLOT.size:
            return None
        number, height, width, nanoseconds, seconds, video_bytes = _SLOT.unpack(head)
        since = video_bytes - self._video_bytes
        if not math.isfinite(seconds) or not 0 <= since <= MAX_VIDEO_BYTES or nanoseconds > MAX_NANOSECONDS:
            return None
        bgr = self._pixels(header, height, width) if number == header.newest else None
        if bgr is None or os.pread(self._file, _SLOT.size, at) != head or self._header_changed(header):
            return None
        self._video_bytes = video_bytes
        return Frame(bgr, _EPOCH + timedelta(microseconds=nanoseconds // 1000), seconds, since)

    def _pixels(self, header: _Header, height: int, width: int) -> Picture | None:
        size = height * width * 3
        if not 0 < height <= MAX_SIDE or not 0 < width <= MAX_SIDE or size > header.slot_bytes:
            return None
        bgr: Picture = np.empty((height, width, 3), np.uint8)
        read = os.preadv(self._file, [bgr.data.cast("B")], _offset(header.newest, header.slot_bytes) + _PAGE)
        return bgr if read == size else None

    def _header_changed(self, before: _Header) -> bool:
        now = self._header()
        return now is None or (now.session, now.slot_bytes) != (before.session, before.slot_bytes)


def _offset(number: int, slot_bytes: int) -> int:
    """Return where the slot of a frame begins: a page for its numbers, then its pixels."""
    return _PAGE + number % SLOTS * (_PAGE + slot_bytes)
