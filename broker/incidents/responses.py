"""What people answer to an incident: acknowledged, over, or a false alarm."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from broker.incidents import raised_thresholds, store
from broker.incidents.incident import Event, EventKind, Incident, State
from broker.notify import contacts
from broker.notify.reasons import How, Prose, Via

MAX_NAME_CHARS = 64


class Effect(StrEnum):
    """What an answer changed."""

    DONE = "done"
    ALREADY = "already"
    """Someone else answered before."""
    OVER = "over"
    """The incident was over before."""
    UNKNOWN = "unknown"
    """There is no such incident."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer changed, and the incident as it is now."""

    effect: Effect
    incident: Incident | None


def acknowledge(connection: Connection, incident_id: int, *, by: str, how: How, at: datetime) -> Answered:
    """Record that someone takes care of an incident: it is not escalated further, unless it becomes more severe.

    The first answer counts. A later one changes nothing, and its effect says who was first.
    """
    incident = store.get(connection, incident_id, lock=True)
    if incident is None:
        return Answered(Effect.UNKNOWN, None)
    contacts.heard(connection, by[:MAX_NAME_CHARS], at=at)
    if incident.state is State.ACKNOWLEDGED:
        return Answered(Effect.ALREADY, incident)
    if incident.state.is_over:
        return Answered(Effect.OVER, incident)
    name = by[:MAX_NAME_CHARS]
    taken = replace(incident, state=State.ACKNOWLEDGED, acknowledged_at=at, acknowledged_by=name, acknowledged_how=how)
    store.save(connection, taken)
    store.add_event(connection, incident_id, Event(at, EventKind.ACKNOWLEDGED, (Via(how),), name))
    return Answered(Effect.DONE, taken)


def resolve(connection: Connection, incident_id: int, *, by: str, how: How, at: datetime) -> Answered:
    """Record that an incident is over; everyone who was notified of it is notified of that.

    Until the rule's cooldown has passed, the same cameras raise it again only if it is more severe.
    """
    return _close(
        connection, incident_id, State.RESOLVED, Event(at, EventKind.RESOLVED, (Via(how),), by[:MAX_NAME_CHARS])
    )


def false_alarm(connection: Connection, incident_id: int, *, by: str, how: How, at: datetime) -> Answered:
    """Record that there was no danger, and raise the thresholds that led to it; otherwise as `resolve`."""
    event = Event(at, EventKind.FALSE_ALARM, (Via(how),), by[:MAX_NAME_CHARS])
    answered = _close(connection, incident_id, State.FALSE_ALARM, event)
    if answered.effect is Effect.DONE:
        raised_thresholds.raise_for(connection, incident_id, at=at)
    return answered


def _close(connection: Connection, incident_id: int, state: State, event: Event) -> Answered:
    incident = store.get(connection, incident_id, lock=True)
    if incident is None:
        return Answered(Effect.UNKNOWN, None)
    if incident.state.is_over:
        return _correct(connection, incident, state, event)
    # Due now: the scheduler notifies the others.
    closed = replace(incident, state=state, closed_at=event.at, closed_by=event.by, due_at=event.at)
    store.save(connection, closed)
    store.add_event(connection, incident_id, event)
    return Answered(Effect.DONE, closed)


def _correct(connection: Connection, incident: Incident, state: State, event: Event) -> Answered:
    """Write down that an incident which ended by itself was a false alarm; all else comes too late."""
    if state is not State.FALSE_ALARM or incident.state is not State.RESOLVED or incident.closed_by:
        return Answered(Effect.OVER, incident)
    corrected = replace(incident, state=state, closed_by=event.by)
    store.save(connection, corrected)
    store.add_event(connection, incident.id, event)
    return Answered(Effect.DONE, corrected)


def note(connection: Connection, incident_id: int, text: str, *, by: str, at: datetime) -> bool:
    """Add a note to the timeline; False where there is no such incident."""
    if store.get(connection, incident_id) is None:
        return False
    store.add_event(connection, incident_id, Event(at, EventKind.NOTE, (Prose(text),), by[:MAX_NAME_CHARS]))
    return True
