"""How many bytes of captions may leave in an hour, whatever the process that sees writes into the outbox.

A bucket of bytes that fills at a steady rate: its level outlives this process, in a file of its own folder, so that
a process that is made to end again and again sends no more.
"""

import logging
import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from foundation import whole_file

log = logging.getLogger(__name__)

FILE: Final = "allowance.json"

HOUR_SECONDS: Final = 3600.0

KEEP_SECONDS: Final = 60.0
"""Time between two writes of the file: a kill takes back so much at most of what was counted."""


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds."""

    bytes: Annotated[float, Meta(ge=0)]
    """Left at that time."""
    at: Annotated[datetime, Meta(tz=True)]


class Allowance:
    """The bucket: an hour's bytes at most."""

    def __init__(
        self, folder: Path, bytes_per_hour: int, clock: Callable[[], float], now: Callable[[], datetime]
    ) -> None:
        """Go on from the file in `folder`; without one, the bucket is full."""
        self._file, self._most = folder / FILE, float(bytes_per_hour)
        self._clock, self._now = clock, now
        self._left = self._read()
        self._at = self._kept_at = clock()
        self._is_spent = False

    def allows(self) -> bool:
        """Whether another caption may go."""
        now = self._clock()
        self._left = min(self._most, self._left + max(0.0, now - self._at) * self._most / HOUR_SECONDS)
        self._at = now
        if self._is_spent != (self._left <= 0):
            self._is_spent = self._left <= 0
            log.warning("hourly bytes of captions", extra={"spent": self._is_spent, "bytes_per_hour": self._most})
        return not self._is_spent

    def take(self, size: int) -> None:
        """Count a caption of so many bytes that goes."""
        self._left -= size
        if self._clock() - self._kept_at >= KEEP_SECONDS:
            self.keep()

    def keep(self) -> None:
        """Write the file; where that fails, a line is logged."""
        self._kept_at = self._clock()
        level = Level(max(0.0, self._left), self._now())
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            whole_file.write(self._file, msgspec.json.encode(level), mode=0o600)
        except OSError as error:
            log.warning("allowance not kept", extra={"file": str(self._file), "reason": error.strerror or str(error)})

    def _read(self) -> float:
        try:
            level = msgspec.json.decode(self._file.read_bytes(), type=Level)
        except (OSError, msgspec.MsgspecError):
            return self._most
        passed = (self._now() - level.at).total_seconds()
        # A clock that went back says nothing about how long it was.
        gained = max(0.0, passed) * self._most / HOUR_SECONDS if math.isfinite(passed) else 0.0
        return min(self._most, level.bytes + gained)
