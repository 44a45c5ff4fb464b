"""Recurring time intervals of a week: `mon-fri 22:00-06:00`.

An interval whose end is before its start passes midnight and belongs to the day on which it starts: `fri 22:00-06:00`
ends on Saturday morning. Days alone mean the whole day, hours alone every day. All times are wall-clock times of the
site; where an hour comes twice, an interval begins in the first and ends in the second.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KOREAN_DAYS: Final = "월화수목금토일"

_hours = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")

EXAMPLE: Final = "write it like `mon-fri 22:00-06:00`, `sat,sun` or `00:00-07:30`"

LONGEST_SEARCH: Final = timedelta(days=8)
"""A schedule without a gap in a week and a day has no gap."""


@dataclass(frozen=True, slots=True)
class Span:
    """Hours of some days of every week."""

    days: frozenset[int]
    """Days on which it starts; Monday is 0."""
    start: time
    end: time
    """Equal to `start` for a whole day."""

    def holds_at(self, local: datetime) -> bool:
        """Return whether it contains a local time."""
        return self.end_after(local) is not None

    def end_after(self, local: datetime) -> datetime | None:
        """Return the end of the occurrence that contains a local time; None where none does."""
        for back in (0, 1):
            day = local - timedelta(days=back)
            start = datetime.combine(day.date(), self.start, local.tzinfo)
            end = datetime.combine(day.date() + timedelta(days=self._passes_midnight), self.end, local.tzinfo)
            start, end = min(_readings(start), key=_real), max(_readings(end), key=_real)
            if day.weekday() in self.days and _real(start) <= _real(local) < _real(end):
                return end
        return None

    @property
    def _passes_midnight(self) -> bool:
        return self.end <= self.start


Schedule = Sequence[Span]


def read(text: str) -> Span:
    """Parse an interval; raises `ValueError` saying what would be right."""
    words = text.lower().split()
    days, hours = _parts(words, text)
    return Span(_days(days) if days else frozenset(range(7)), *(_times(hours) if hours else (time(), time())))


def holds_at(schedule: Schedule, local: datetime) -> bool:
    """Return whether any interval of a schedule contains a local time."""
    return any(span.holds_at(local) for span in schedule)


def end_after(schedule: Schedule, local: datetime) -> datetime | None:
    """Return the local time at which a schedule that contains `local` ends; None where it does not contain it.

    Raises `ValueError` for a schedule that never ends.
    """
    at = local
    while at - local < LONGEST_SEARCH:
        ends = [end for span in schedule if (end := span.end_after(at)) is not None]
        if not ends:
            return at if _real(at) > _real(local) else None
        at = max(ends, key=_real)
    raise ValueError("these hours cover the whole week; leave a gap")


def _readings(wall: datetime) -> tuple[datetime, datetime]:
    """Return both moments that a wall-clock time may mean: in autumn an hour comes twice (PEP 495)."""
    return wall.replace(fold=0), wall.replace(fold=1)


def _real(local: datetime) -> datetime:
    """Return a moment that can be compared across a change of the clock; a time without a zone stays as it is."""
    return local if local.tzinfo is None else local.astimezone(UTC)


def require_gap(schedule: Schedule, name: str) -> None:
    """Raise `ValueError` naming `name` for a schedule that never ends."""
    monday = datetime(2024, 1, 1)  # noqa: DTZ001 - any Monday by any wall clock
    try:
        for span in schedule:
            end_after(schedule, datetime.combine(monday.date() + timedelta(days=min(span.days)), span.start))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _parts(words: list[str], text: str) -> tuple[str, str]:
    match words:
        case [days, hours] if ":" in hours and ":" not in days:
            return days, hours
        case [hours] if ":" in hours:
            return "", hours
        case [days]:
            return days, ""
    raise ValueError(f"{text!r} is not a time of the week; {EXAMPLE}")


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, to, last = part.partition("-")
        start = _day(first)
        count = (_day(last) - start) % 7 if to else 0
        found.update((start + step) % 7 for step in range(count + 1))
    return frozenset(found)


def _day(name: str) -> int:
    if name in DAYS:
        return DAYS.index(name)
    if len(name) == 1 and name in KOREAN_DAYS:
        return KOREAN_DAYS.index(name)
    raise ValueError(f"{name!r} is not a day; days are {', '.join(DAYS)}")


def _times(text: str) -> tuple[time, time]:
    match = _hours.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} are not hours; {EXAMPLE}")
    first, second, third, fourth = map(int, match.groups())
    return _time(first, second), _time(third, fourth)


def _time(hour: int, minute: int) -> time:
    if (hour, minute) == (24, 0):
        return time()
    if hour > 23 or minute > 59:
        raise ValueError(f"{hour}:{minute:02} is not a time of day; the last is 23:59, and 24:00 is midnight")
    return time(hour, minute)
