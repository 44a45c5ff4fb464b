"""Decides when an incident that nobody closed is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from broker.incidents.incident import Incident
from broker.notify.notifications import SendStatus
from broker.notify.reasons import NotSeenFor


@dataclass(frozen=True, slots=True)
class Over:
    """The incident is over."""

    reason: NotSeenFor


@dataclass(frozen=True, slots=True)
class Open:
    """The incident lasts until a moment at least."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long an incident lasts after its last sighting, and after its last notification."""

    quiet: timedelta
    cooldown: timedelta


def decide(incident: Incident, status: SendStatus, lasting: Lasting, *, now: datetime, escalating: bool) -> Over | Open:
    """Choose whether an incident has ended.

    It lasts for as long as a message of it cools down, so that a danger which comes back within that time is the same
    one, and one which comes back later is notified at once; and for as long as someone is still to be notified.
    """
    ends = incident.seen_at + lasting.quiet
    if status.sent_at is not None:
        ends = max(ends, status.sent_at + lasting.cooldown)
    if escalating or status.waiting:
        ends = max(ends, now + lasting.quiet)
    if now < ends:
        return Open(ends)
    return Over(NotSeenFor(round((now - incident.seen_at).total_seconds() / 60)))
