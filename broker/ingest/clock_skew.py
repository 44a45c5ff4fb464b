"""Corrects the time of captions whose device's clock is wrong: ahead, behind by its own heartbeats, or impossible."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from broker.ingest.decoder import Rejection
from contract import topics
from contract.caption import Caption
from contract.status import Status

AHEAD: Final = timedelta(minutes=5)
"""Clocks without a network drift by seconds a day; what is further ahead was set wrong."""

BEHIND: Final = timedelta(minutes=10)
"""A clock whose live heartbeats are further behind was set wrong."""

FIRST: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""No device took a picture before: a clock without a battery begins in 1970, or when its image was built."""

LIVE_SECONDS: Final = (20.0, 3600.0)
"""Two heartbeats so far apart by the server's clock were not queued: queued ones arrive together."""

DRIFT: Final = timedelta(seconds=15)
"""Two live heartbeats are as far apart by the device's clock, but for the network's delay."""

LONGEST_WORK: Final = timedelta(seconds=30)
"""From a picture to its event."""

FUTURE: Final = "future"
PAST: Final = "past"
"""By what such captions are counted among the refusals, although they are taken."""


@dataclass
class DeviceClocks:
    """How far each device's clock is behind, by its heartbeats."""

    _last: dict[tuple[str, str], tuple[datetime, datetime]] = field(default_factory=dict, init=False)
    """When each device said its last heartbeat, by its clock and by the server's."""
    _behind: dict[tuple[str, str], timedelta] = field(default_factory=dict, init=False)

    def hear(self, status: Status, *, now: datetime) -> None:
        """Compare a heartbeat with the one before; a queued or retained one says nothing about the clock."""
        if status.at is None:
            return
        device = (status.site, status.device)
        last = self._last.get(device)
        self._last[device] = (status.at, now)
        if now - status.at < BEHIND:
            self._behind.pop(device, None)
        elif last is not None and _is_live(now - last[1], status.at - last[0]):
            self._behind[device] = now - status.at

    def behind(self, event: Caption) -> timedelta:
        """Return how far the clock of an event's device is known to be behind; 0 where it is right or unknown."""
        return self._behind.get((event.site, event.device), timedelta(0))


def _is_live(by_server: timedelta, by_device: timedelta) -> bool:
    least, most = LIVE_SECONDS
    return least <= by_server.total_seconds() <= most and abs(by_server - by_device) <= DRIFT


def corrected(event: Caption, *, now: datetime, behind: timedelta = timedelta(0)) -> Caption:
    """Return an event with a possible time: the picture of one that has none counts as taken when it arrives.

    It is not refused: the danger in it is there now, whatever the clock says. `behind` is how far the device's clock
    is behind. Where the device says how old the event is, that is taken off the time of its arrival.
    """
    if FIRST <= event.captured_at <= now + AHEAD and not behind:
        return event
    possible = event.captured_at + behind
    captured_at = possible if behind and FIRST <= possible <= now else _by_age(event, now)
    return msgspec.structs.replace(event, captured_at=captured_at)


def _by_age(event: Caption, now: datetime) -> datetime:
    """Return when a picture was taken by the age of its event; now where the device does not say it."""
    if event.age_seconds is msgspec.UNSET:
        return now
    # The wrong clock showed both times, a moment apart, unless it was set in between.
    took = min(max(event.time - event.captured_at, timedelta(0)), LONGEST_WORK)
    return now - timedelta(seconds=event.age_seconds) - took


def rejection(event: Caption, *, now: datetime, behind: timedelta = timedelta(0)) -> Rejection | None:
    """Return what is counted of an event whose clock is wrong; None for any other."""
    if corrected(event, now=now, behind=behind) is event:
        return None
    ahead = event.captured_at > now + AHEAD
    instead = "the arrival" if event.age_seconds is msgspec.UNSET else "its age"
    way = f"{event.captured_at - now} ahead of" if ahead else f"{behind or now - event.captured_at} behind"
    detail = f"`captured_at` is {way} the server's clock; {instead} counts instead"
    reason = FUTURE if ahead else PAST
    return Rejection(reason, detail, topics.topic(event.site, event.device, "caption"), b"", None, event.id)
