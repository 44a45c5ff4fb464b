"""The reading end of the file in memory by which the process that pulls hands frames over (`frame_ring`)."""

import math
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np

from edge.infer.image import MAX_SIDE, Picture
from edge.look.camera.frame_ring import EPOCH, HEADER, MAGIC, MAX_FRAME_BYTES, PAGE, SLOT, STATES, PullState, offset
from edge.look.camera_port import Frame

MAX_VIDEO_BYTES: Final = 1 << 40
"""Bytes of video between two frames at most: more than any network carries meanwhile."""

MAX_NANOSECONDS: Final = 7_258_118_400 * 10**9
"""The year 2200, from which the contract takes no moment."""

TRIES: Final = 3
"""Times that a frame is copied which was overwritten meanwhile."""


@dataclass(frozen=True, slots=True)
class _Header:
    session: int
    state: int
    slot_bytes: int
    newest: int
    beat: float


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
        if header is None or header.state not in STATES:
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
        found = os.pread(self._file, HEADER.size, 0)
        if len(found) < HEADER.size:
            return None
        magic, session, state, slot_bytes, newest, beat = HEADER.unpack(found)
        if magic != MAGIC or slot_bytes > MAX_FRAME_BYTES:
            return None
        return _Header(session, state, slot_bytes, newest, beat)

    def _take(self, header: _Header) -> Frame | None:
        """Copy the newest frame; None where it is not whole."""
        at = offset(header.newest, header.slot_bytes)
        head = os.pread(self._file, SLOT.size, at)
        if len(head) < SLOT.size:
            return None
        number, height, width, nanoseconds, seconds, video_bytes, damaged = SLOT.unpack(head)
        since = video_bytes - self._video_bytes
        if not math.isfinite(seconds) or not 0 <= since <= MAX_VIDEO_BYTES or nanoseconds > MAX_NANOSECONDS:
            return None
        bgr = self._pixels(header, height, width) if number == header.newest else None
        if bgr is None or os.pread(self._file, SLOT.size, at) != head or self._header_changed(header):
            return None
        self._video_bytes = video_bytes
        moment = EPOCH + timedelta(microseconds=nanoseconds // 1000)
        return Frame(bgr, moment, seconds, since, bool(damaged))

    def _pixels(self, header: _Header, height: int, width: int) -> Picture | None:
        size = height * width * 3
        if not 0 < height <= MAX_SIDE or not 0 < width <= MAX_SIDE or size > header.slot_bytes:
            return None
        bgr: Picture = np.empty((height, width, 3), np.uint8)
        read = os.preadv(self._file, [bgr.data.cast("B")], offset(header.newest, header.slot_bytes) + PAGE)
        return bgr if read == size else None

    def _header_changed(self, before: _Header) -> bool:
        now = self._header()
        return now is None or (now.session, now.slot_bytes) != (before.session, before.slot_bytes)
