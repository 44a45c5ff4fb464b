"""When a recipient is away, as `broker.yaml` and the terminal write it: `2026-03-14`, `2026-03-14 18:00`."""

from datetime import date, datetime, time, timedelta

import msgspec

from broker.config.section import Section


class Absence(Section, frozen=True, kw_only=True):
    """A time in which nothing is sent to a recipient. Without an hour, whole days: `until` is the last of them."""

    start: str = msgspec.field(name="from")
    until: str

    def __post_init__(self) -> None:
        if begin(self.start) >= end(self.until):
            raise ValueError(f"`away`: {self.until!r} is not after {self.start!r}")

    def end_at(self, local: datetime) -> datetime | None:
        """Return when the absence ends, where it holds at a moment by the recipient's clock; else None."""
        ends = end(self.until).replace(tzinfo=local.tzinfo)
        return ends if begin(self.start).replace(tzinfo=local.tzinfo) <= local < ends else None


def begin(text: str) -> datetime:
    """Read the beginning of an absence, without a time zone; raises `ValueError`."""
    return _read(text)[0]


def end(text: str) -> datetime:
    """Read the end of an absence, without a time zone: that of the day where no hour is named; raises `ValueError`."""
    moment, is_day = _read(text)
    return moment + timedelta(days=1) if is_day else moment


def _read(text: str) -> tuple[datetime, bool]:
    try:
        if len(text.strip()) == len("2026-03-14"):
            return datetime.combine(date.fromisoformat(text.strip()), time()), True
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time; write it like 2026-03-14 or 2026-03-14 18:00") from error
    if moment.tzinfo is not None:
        raise ValueError(f"{text!r} has a time zone; it is by the clock of the recipient")
    return moment, False
