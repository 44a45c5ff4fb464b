"""Watches the device's clock: whether it has the time from the network, and whether it was set back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from contract import release
from contract.status import Clock

EARLIEST: Final = datetime.combine(release.RELEASED, datetime.min.time(), UTC) - timedelta(days=2)
"""No device of this version shows an earlier time rightly."""

STEP: Final = timedelta(seconds=2)
"""Clocks are slewed by milliseconds; one that shows an earlier time by more than this was set."""

FORGET: Final = timedelta(days=1)
"""Longest time, by a clock that nobody sets, that the latest time shown is remembered: it may have been a wrong one."""

TIMESYNC: Final = Path("/run/systemd/timesync")
"""Folder of systemd-timesyncd, which makes the file `synchronized` in it once it has had the time from a server."""


@dataclass
class WallClock:
    """What was seen of the clock so far."""

    now: Callable[[], datetime]
    uptime_seconds: Callable[[], float]
    """A clock that nobody sets."""
    latest: datetime
    """Latest time that it has shown, also to a process before this one."""
    timesync: Path = TIMESYNC
    _latest_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._latest_at = self.uptime_seconds()

    def check(self) -> Clock | None:
        """Look at the clock; return what is wrong with it, None where nothing is or nobody can say."""
        now, uptime = self.now(), self.uptime_seconds()
        is_old = uptime - self._latest_at >= FORGET.total_seconds()
        is_back = now < self.latest - STEP and not is_old
        if now >= self.latest or is_old:
            self.latest, self._latest_at = now, uptime
        if now < EARLIEST or self._waits_for_time():
            return Clock.UNSYNCHRONISED
        return Clock.STEPPED_BACK if is_back else None

    def _waits_for_time(self) -> bool:
        """Whether systemd-timesyncd runs and has had no time yet; another program for the time is not asked."""
        return self.timesync.is_dir() and not (self.timesync / "synchronized").exists()
