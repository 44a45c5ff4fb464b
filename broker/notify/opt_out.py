"""Recipients who write STOP: nothing is sent to them until START, and others are notified of that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from broker.config.broker import Recipient
from broker.config.incidents import Escalation
from broker.notify import contacts, notifications
from broker.notify.notifications import Intent, Kind

WROTE_STOP: Final = "the recipient wrote STOP, and has not written START since"


def give_up(connection: Connection, intent: Intent, person: Recipient, *, at: datetime) -> None:
    """Keep a notification to someone who wrote STOP as one that will never be sent."""
    number = notifications.add(connection, intent, to=person, at=at)
    notifications.mark_dead(connection, number, error=WROTE_STOP)


@dataclass(frozen=True, slots=True)
class OptOut:
    """Works inside the caller's transaction."""

    recipients: Sequence[Recipient]
    escalation: Sequence[Escalation]

    def stop(self, connection: Connection, person: Recipient, *, at: datetime) -> None:
        """Record STOP, give up what waits for this person, and notify those who come next."""
        if person.name in contacts.stopped(connection):
            return
        contacts.set_stopped(connection, person.name, at=at)
        notifications.give_up_unsent(connection, person.name, error=WROTE_STOP)
        self._notify_next(connection, person, is_reachable=False, at=at)

    def start(self, connection: Connection, person: Recipient, *, at: datetime) -> None:
        """Record START after STOP, and notify those who come next."""
        if person.name not in contacts.stopped(connection):
            return
        contacts.set_stopped(connection, person.name, at=None)
        self._notify_next(connection, person, is_reachable=True, at=at)

    def next_of(self, person: Recipient, *, stopped: frozenset[str] = frozenset()) -> tuple[Recipient, ...]:
        """Return who comes after a person in the escalations, of those who can be reached; else all of these."""
        reachable = tuple(one for one in self.recipients if one.name != person.name and one.name not in stopped)
        names = {name for chain in self.escalation for name in _after(person, chain)}
        return tuple(one for one in reachable if one.name in names) or reachable

    def _notify_next(self, connection: Connection, person: Recipient, *, is_reachable: bool, at: datetime) -> None:
        for other in self.next_of(person, stopped=contacts.stopped(connection)):
            intent = Intent(
                key=f"contact/{at.timestamp():.3f}/{person.name}/{other.name}"[:160],
                kind=Kind.CONTACT,
                incident_id=None,
                caption_id=None,
                rule="",
                site="",
                severity="warning",
                reasons=(),
                facts={"name": person.name, "reachable": is_reachable},
            )
            notifications.add(connection, intent, to=other, at=at)


def _after(person: Recipient, chain: Escalation) -> tuple[str, ...]:
    """Return the names of the step after a person's own; people of no step are notified before the first."""
    own = next((place for place, step in enumerate(chain.steps) if person.name in step.notify), -1)
    following = chain.steps[own + 1 :] or chain.steps
    return following[0].notify
