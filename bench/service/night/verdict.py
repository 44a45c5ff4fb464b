"""What became of a night: every caption and notification is accounted for, and each text held to its promises."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from bench.service.night.replay import Night
from broker.config.broker import Recipient
from broker.incidents import store
from broker.incidents.incident import Incident
from broker.notify import notifications, opt_out
from broker.notify.message import reason_texts, segments
from broker.notify.notifications import Kind, Notification, State
from broker.service import factory
from broker.store.engine import reading
from broker.store.tables import core

LINKED = frozenset({Kind.FIRST, Kind.UPDATE, Kind.REPEAT, Kind.ESCALATION})
"""Kinds of texts that are answered."""

FOREIGN = re.compile(r"[A-Za-z]{2,}")
"""A word of another language in a Korean one; names of people, rules and places are taken out before."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text that a person got, and why."""

    at: datetime
    person: str
    body: str
    notification: Notification

    @property
    def why(self) -> str:
        """The reasons, in English."""
        return reason_texts.say(self.notification.reasons, "en") or self.notification.kind.value


@dataclass(frozen=True, slots=True)
class Verdict:
    """The totals."""

    captions: int
    stored: int
    notifications: int
    sent: int
    digested: int
    given_up: int
    """Given up because their recipient wrote STOP."""
    waiting: int
    """Deferred until after the end of the replay."""
    dropped: int
    """Captions that are not stored once, and notifications neither sent, deferred nor given up for a reason."""
    doubled: int
    """Notifications that the gateway took more than once."""
    texts: tuple[Text, ...]
    incidents: tuple[Incident, ...]
    problems: tuple[str, ...]


def of(night: Night) -> Verdict:
    """Hold a night against what went in."""
    with reading(night.engine) as connection:
        made = notifications.made_since(connection, datetime.min.replace(tzinfo=night.clock.now.tzinfo))
        incidents = store.newest(connection, limit=10_000)[::-1]
        lost = _unstored(connection, night)
    by_sid = _provider_ids(night)
    texts = tuple(_texts(night, {one.id: one for one in made}, by_sid))
    states = Counter(one.state for one in made)
    stopped = [one for one in made if one.state is State.DEAD and one.error == opt_out.WROTE_STOP]
    waiting = sum(1 for one in made if one.state is State.DEFERRED and one.due_at > night.clock.now)
    unaccounted = len(made) - states[State.SENT] - states[State.DIGESTED] - len(stopped) - waiting
    taken = Counter(by_sid.values())
    problems = [*_problems(night, texts), *_unreached(night, incidents, made)]
    return Verdict(
        captions=len(night.published),
        stored=len(night.published) - lost,
        notifications=len(made),
        sent=states[State.SENT],
        digested=states[State.DIGESTED],
        given_up=len(stopped),
        waiting=waiting,
        dropped=lost + unaccounted + sum(1 for text in night.texts if text.sid not in by_sid),
        doubled=sum(count - 1 for count in taken.values()),
        texts=texts,
        incidents=tuple(incidents),
        problems=tuple(problems),
    )


def _unstored(connection: Connection, night: Night) -> int:
    """Count the captions that are not in the database exactly once."""
    table = core.caption
    rows = connection.execute(select(table.c.event_id, func.count()).group_by(table.c.event_id))
    counted = {str(event_id): int(count) for event_id, count in rows}
    return sum(1 for event in night.published if counted.get(event.id) != 1)


def _provider_ids(night: Night) -> dict[str, int]:
    """Return the notification of each message that the gateway took."""
    table = core.alert
    with reading(night.engine) as connection:
        rows = connection.execute(select(table.c.provider_id, table.c.id).where(table.c.provider_id != ""))
        return {str(row.provider_id): int(row.id) for row in rows}


def _texts(night: Night, by_id: dict[int, Notification], by_sid: dict[str, int]) -> Iterator[Text]:
    names = {person.e164: person.name for person in night.config.recipients}
    for message in night.texts:
        if message.sid in by_sid:
            yield Text(message.created, names[message.to], message.body, by_id[by_sid[message.sid]])


def _problems(night: Night, texts: Sequence[Text]) -> Iterator[str]:
    """Yield what a text promises and does not hold."""
    people = {person.name: person for person in night.config.recipients}
    korean = factory.by_korean_gateway(night.config)
    for text in texts:
        for problem in _wrong(night, text, people[text.person], by_bytes=text.person in korean):
            yield f"{text.person}: {problem}: {text.body}"


def _wrong(night: Night, text: Text, person: Recipient, *, by_bytes: bool) -> Iterator[str]:
    told, places = text.notification, night.dispatcher.compose.places  # type: ignore[attr-defined]  # a Composer
    if not (segments.is_one_in_korea if by_bytes else segments.is_one)(text.body):
        yield "more than one part"
    if told.kind in LINKED:
        site = places.name(told.site, language=person.language)
        device = places.name(told.site, told.device, language=person.language) if told.device else ""
        if site not in text.body or device not in text.body:
            yield "no place or no device"
        if f"#{told.incident_id}" not in text.body:
            yield "no number"
        if "https://" not in text.body:
            yield "no link"
        if not re.search(r"\d\d:\d\d", text.body):
            yield "no time"
    if person.language == "ko" and _is_mixed(reason_texts.say(told.reasons, "ko"), night):
        yield f"a reason in two languages ({reason_texts.say(told.reasons, 'ko')})"


def _is_mixed(reason: str, night: Night) -> bool:
    places = sorted({name for camera in night.devices for name in camera})
    names = [*(one.name for one in night.config.recipients), *places, "cam-0"]
    for name in (*names, "STOP", "START"):
        reason = reason.replace(name, "")
    return FOREIGN.search(reason) is not None


def _unreached(night: Night, incidents: Sequence[Incident], made: Sequence[Notification]) -> Iterator[str]:
    """Yield who should have been notified of an incident, and was not."""
    for incident in incidents:
        route = night.scheduler.grouper.route(incident)
        own = {one.recipient for one in made if one.incident_id == incident.id}
        if incident.notified is not None:
            yield from (f"#{incident.id}: nothing for {name}" for name in sorted(route.names - own))
