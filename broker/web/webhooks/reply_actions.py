"""Applies the reply of one person to an incident, and writes what is answered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from broker.config.broker import Recipient
from broker.incidents import responses, store
from broker.incidents.incident import Incident
from broker.incidents.responses import Answered, Effect
from broker.notify import replies
from broker.notify.message import texts
from broker.notify.opt_out import OptOut
from broker.notify.reply_text import CHOICES, Meaning, Reply

MOST_NAMED: Final = 5
"""Open incidents that a question names: it should be one text message."""

ACTS: Final = {
    Meaning.ACKNOWLEDGE: responses.acknowledge,
    Meaning.RESOLVE: responses.resolve,
    Meaning.FALSE_ALARM: responses.false_alarm,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reply did, and the text that answers it; "" for none."""

    meaning: Meaning
    text: str
    incident_id: int | None = None
    effect: Effect | None = None
    """None where nothing was asked for that could be done."""


@dataclass(frozen=True, slots=True)
class ReplyActions:
    """Applies what people of one configuration reply, inside the caller's transaction."""

    opt_out: OptOut

    def apply(self, connection: Connection, person: Recipient, reply: Reply, *, at: datetime) -> Answer:
        """Apply a reply; a STOP lets the escalation of what its sender was notified of go on at once."""
        if reply.meaning not in (Meaning.STOP, Meaning.START):
            return act(connection, person, reply, at=at)
        said = texts.of(person.language).replies
        if reply.meaning is Meaning.START:
            self.opt_out.start(connection, person, at=at)
            return Answer(reply.meaning, "" if reply.by_carrier else said.started)
        self.opt_out.stop(connection, person, at=at)
        for incident in store.notified_to(connection, person.e164):
            store.save(connection, replace(incident, due_at=at))
        return Answer(reply.meaning, "" if reply.by_carrier else said.stopped)


def act(connection: Connection, person: Recipient, reply: Reply, *, at: datetime) -> Answer:
    """Apply a reply, only to incidents that its sender was notified of; in doubt, ask back and change nothing."""
    said = texts.of(person.language).replies
    still_open = store.notified_to(connection, person.e164)
    if reply.meaning is Meaning.UNKNOWN:
        chosen = _chosen(reply, still_open)
        if chosen is None:
            return _ask_what(connection, person, reply)
        return _apply(connection, person, chosen, still_open[0].id, at)
    if reply.incident_id is None and len(still_open) > 1 and reply.meaning is not Meaning.ACKNOWLEDGE:
        numbers = ", ".join(f"#{incident.id}" for incident in still_open[:MOST_NAMED])
        return Answer(reply.meaning, said.which.format(numbers=numbers, number=still_open[0].id))
    incident_id = reply.incident_id
    if incident_id is None:
        incident_id = still_open[0].id if still_open else replies.last_notified(connection, person.name)
    if incident_id is None or not replies.was_notified(connection, person.name, incident_id):
        return Answer(reply.meaning, said.unknown, None, Effect.UNKNOWN)
    return _apply(connection, person, reply.meaning, incident_id, at)


def _ask_what(connection: Connection, person: Recipient, reply: Reply) -> Answer:
    """Ask what became of the incident that a reply names, or say how to answer."""
    said = texts.of(person.language).replies
    number = reply.bare if reply.incident_id is None else reply.incident_id
    if number is None or not replies.was_notified(connection, person.name, number):
        return Answer(Meaning.UNKNOWN, said.help)
    return Answer(Meaning.UNKNOWN, said.what.format(number=number))


def _chosen(reply: Reply, still_open: Sequence[Incident]) -> Meaning | None:
    """Return what a bare 1, 2 or 3 means: where one incident alone is open, and that is not its number."""
    if reply.bare is None or len(still_open) != 1:
        return None
    chosen = CHOICES.get(reply.bare)
    is_its_number = still_open[0].id == reply.bare
    return None if is_its_number and chosen is not Meaning.ACKNOWLEDGE else chosen


def _apply(connection: Connection, person: Recipient, meaning: Meaning, incident_id: int, at: datetime) -> Answer:
    answered = ACTS[meaning](connection, incident_id, by=person.name, how="sms", at=at)
    return Answer(meaning, _said(person, meaning, incident_id, answered), incident_id, answered.effect)


def _said(person: Recipient, meaning: Meaning, incident_id: int, answered: Answered) -> str:
    """Write what is answered. It holds nothing of what the other side wrote."""
    said = texts.of(person.language).replies
    own = answered.incident is not None and answered.incident.acknowledged_by == person.name
    if answered.effect is Effect.ALREADY and own:
        return said.acknowledged.format(number=incident_id)
    if answered.effect is Effect.ALREADY and answered.incident is not None:
        return said.already.format(number=incident_id, name=answered.incident.acknowledged_by)
    done = {
        Meaning.ACKNOWLEDGE: said.acknowledged,
        Meaning.RESOLVE: said.resolved,
        Meaning.FALSE_ALARM: said.false_alarm,
    }
    by_effect = {Effect.OVER: said.over, Effect.UNKNOWN: said.unknown, Effect.DONE: done[meaning]}
    return by_effect.get(answered.effect, said.help).format(number=incident_id)
