"""Decides whether a text message to one person has to wait: they are away, asleep, or have had too many."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from broker.config import time_interval
from broker.config.broker import Recipient
from broker.config.section import Severity, at_least
from broker.notify.contacts import Contact
from broker.notify.reasons import Away, HourlyLimit, QuietHours
from broker.rules.reasons import Reason

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Deferral:
    """It waits until a moment."""

    until: datetime
    reason: Reason


def decide(
    person: Recipient, contact: Contact | None, severity: Severity, *, recent: Sequence[datetime], local: datetime
) -> Deferral | None:
    """Say whether a message waits; None where it may go at once.

    `recent` are the moments at which messages went to this person lately; `local` is now by their clock.
    """
    return away(contact, local) or quiet(person, severity, local) or cap(person, recent, local)


def away(contact: Contact | None, now: datetime) -> Deferral | None:
    """Hold back everything from someone who is away."""
    if contact is None or contact.away_until is None or contact.away_until <= now:
        return None
    return Deferral(contact.away_until, Away(contact.away_because))


def quiet(person: Recipient, severity: Severity, local: datetime) -> Deferral | None:
    """Hold back what need not wake someone."""
    if person.quiet_passes is not None and at_least(severity, person.quiet_passes):
        return None
    end = time_interval.end_after(person.quiet, local)
    return None if end is None else Deferral(end, QuietHours(f"{end:%H:%M}"))


def cap(person: Recipient, recent: Sequence[datetime], now: datetime) -> Deferral | None:
    """Hold back what is more than one can read in an hour, however urgent: the next contact is told instead."""
    counted = sorted(moment for moment in recent if moment > now - HOUR)
    if len(counted) < person.max_per_hour:
        return None
    until = counted[len(counted) - person.max_per_hour] + HOUR
    return Deferral(until, HourlyLimit(len(counted), person.max_per_hour))
