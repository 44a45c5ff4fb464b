"""Until when a recipient is away: nothing is sent to them before."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from broker.config.broker import Recipient
from broker.config.sites import Places
from broker.notify import contacts
from broker.notify.contacts import Contact


def until(person: Recipient, contact: Contact | None, local: datetime) -> datetime | None:
    """Return until when someone is away at a moment by their clock, by `broker.yaml` or as it was set; else None."""
    ends = [end for one in person.away if (end := one.end_at(local)) is not None]
    if contact is not None and contact.away_until is not None and contact.away_until > local:
        ends.append(contact.away_until)
    return max(ends, default=None)


def names(connection: Connection, people: Sequence[Recipient], places: Places, *, at: datetime) -> frozenset[str]:
    """Return the names of those who are away at a moment."""
    known = contacts.all_known(connection)
    return frozenset(
        one.name for one in people if until(one, known.get(one.name), places.by_clock_of(one, at)) is not None
    )
