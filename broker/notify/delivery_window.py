"""Decides whether a notification is deferred: its recipient is away, asleep, or has had too many."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from broker.config import time_interval
from broker.config.broker import Recipient
from broker.config.section import Severity, at_least
from broker.notify import absences
from broker.notify.contacts import Contact
from broker.notify.reasons import Away, HourlyLimit, QuietHours
from broker.rules.reasons import Reason

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Deferral:
    """It is deferred until a moment."""

    until: datetime
    reason: Reason


def decide(
    person: Recipient, contact: Contact | None, severity: Severity, *, recent: Sequence[datetime], local: datetime
) -> Deferral | None:
    """Return until when and why a notification is deferred; None where it may be sent at once.

    `recent` are the moments at which messages went to this person lately, empty for a notification that the hourly
    limit never defers; `local` is now by their clock.
    """
    return away(person, contact, local) or quiet(person, severity, local) or cap(person, recent, local)


def away(person: Recipient, contact: Contact | None, local: datetime) -> Deferral | None:
    """Defer everything for someone who is away."""
    ends_at = absences.until(person, contact, local)
    if ends_at is None:
        return None
    return Deferral(ends_at, Away(contact.away_because if contact else ""))


def quiet(person: Recipient, severity: Severity, local: datetime) -> Deferral | None:
    """Defer what need not wake someone."""
    if person.quiet_passes is not None and at_least(severity, person.quiet_passes):
        return None
    end = time_interval.end_after(person.quiet, local)
    return None if end is None else Deferral(end, QuietHours(f"{end:%H:%M}"))


def cap(person: Recipient, recent: Sequence[datetime], now: datetime) -> Deferral | None:
    """Defer what exceeds the hourly limit."""
    counted = sorted(moment for moment in recent if moment > now - HOUR)
    if len(counted) < person.max_per_hour:
        return None
    until = counted[len(counted) - person.max_per_hour] + HOUR
    return Deferral(until, HourlyLimit(len(counted), person.max_per_hour))
