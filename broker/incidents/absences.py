"""Sets recipients away, or back: those who come next are notified of it, and open incidents escalate to them."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from broker.config.broker import Recipient
from broker.incidents import store
from broker.notify import contacts, notifications
from broker.notify.notifications import Intent, Kind
from broker.notify.opt_out import OptOut


@dataclass(frozen=True, slots=True)
class Absences:
    """Works inside the caller's transaction."""

    opt_out: OptOut
    """Knows who comes next."""

    def set(self, connection: Connection, person: Recipient, *, ends_at: datetime, because: str, at: datetime) -> None:
        """Record that someone is away, and notify those who come next."""
        contacts.set_away(connection, person.name, until=ends_at, because=because)
        self._notify_next(connection, person, {"reachable": False, "away_until": ends_at.isoformat()}, at)
        for incident in store.now_open(connection):
            if incident.due_at is not None:  # An escalation that waits for this person goes on at once.
                store.save(connection, replace(incident, due_at=at))

    def end(self, connection: Connection, person: Recipient, *, at: datetime) -> bool:
        """Record that someone is back, and notify those who come next; False where they were not away."""
        contact = contacts.all_known(connection).get(person.name)
        if contact is None or contact.away_until is None or contact.away_until <= at:
            return False
        contacts.set_away(connection, person.name, until=None, because="")
        self._notify_next(connection, person, {"reachable": True}, at)
        return True

    def _notify_next(self, connection: Connection, person: Recipient, facts: dict[str, object], at: datetime) -> None:
        for other in self.opt_out.next_of(person, stopped=contacts.stopped(connection)):
            intent = Intent(
                key=f"contact/{at.timestamp():.3f}/{person.name}/{other.name}"[:160],
                kind=Kind.CONTACT,
                incident_id=None,
                caption_id=None,
                rule="",
                site="",
                severity="warning",
                reasons=(),
                facts={"name": person.name} | facts,
            )
            notifications.add(connection, intent, to=other, at=at)
