"""The queue of notifications: each from the intent to its end, sent or given up with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from broker.config.broker import Language, Recipient, Severity
from broker.notify import reasons
from broker.rules.reasons import Reasons
from broker.store.tables import core


class Kind(StrEnum):
    """Why a notification is sent."""

    FIRST = "first"
    """A danger."""
    UPDATE = "update"
    """It became more severe, or another camera sees it."""
    REPEAT = "repeat"
    """It is still there, long after the last notification."""
    ESCALATION = "escalation"
    """Nobody has answered yet."""
    RESOLVED = "resolved"
    """It is over."""
    DIGEST = "digest"
    """Several deferred notifications in one."""
    CONTACT = "contact"
    """Someone else cannot be reached any more, or again."""


class State(StrEnum):
    """The state of a notification."""

    DEFERRED = "held"
    """Not to be sent before `due_at`: its recipient is away, asleep, or has had too many."""
    DIGESTED = "digested"
    """Covered by the digest in `told_in`."""
    WAITING = "waiting"
    SENDING = "sending"
    """Handed to the sender; after a restart it is unknown how that ended."""
    DOUBT = "doubt"
    """The provider may have accepted it: it is asked before anything is sent again."""
    SENT = "sent"
    DEAD = "dead"


OPEN: Final = (State.WAITING, State.SENDING, State.DOUBT)


@dataclass(frozen=True, slots=True)
class Intent:
    """One notification that is to be sent to one person."""

    key: str
    """Identifies the intent: the database refuses a second one with the same key."""
    kind: Kind
    incident_id: int | None
    caption_id: int | None
    """None where it is about lost devices; `facts` name them."""
    rule: str
    site: str
    severity: Severity
    reasons: Reasons
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the text says beyond the caption; see docs/alerts.md for each kind's."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification to one person, with the caption that it is about.

    Where it is about none, device, stream and sentence are "", and `captured_at` is when it was queued.
    """

    id: int
    key: str
    kind: Kind
    incident_id: int | None
    """None for a digest, and for messages older than incidents."""
    rule: str
    severity: Severity
    recipient: str
    phone: str
    language: Language
    state: State
    reasons: Reasons
    """Why it was queued, and why it is deferred."""
    facts: Mapping[str, Any]
    text: str
    """As it is sent; "" until the first attempt."""
    attempts: int
    created_at: datetime
    due_at: datetime
    tried_at: datetime | None
    sent_at: datetime | None
    error: str
    site: str
    device: str
    stream: str
    captured_at: datetime
    received_at: datetime
    """When the caption arrived."""
    sentence: str
    sentence_language: str
    hazards: Mapping[str, float] = field(default_factory=dict)
    """Probability of each danger by the model, 0 to 1."""


@dataclass(frozen=True, slots=True)
class SendStatus:
    """What became of the notifications of an incident."""

    sent_at: datetime | None = None
    """When the last of them was sent, if any was."""
    waiting: bool = False
    """Whether one that was queued since then is still to be sent, or deferred."""
    failed_at: datetime | None = None
    """When the last one was given up, where none was sent and none waits."""


def add(
    connection: Connection, intent: Intent, *, to: Recipient, at: datetime, deferred_until: datetime | None = None
) -> int:
    """Queue a notification to one person, to be sent at once or `deferred_until` a moment; returns its number."""
    row = {
        "key": intent.key,
        "kind": intent.kind.value,
        "incident_id": intent.incident_id,
        "caption_id": intent.caption_id,
        "rule": intent.rule,
        "site": intent.site,
        "severity": intent.severity,
        "because": reasons.encode(intent.reasons),
        "facts": dict(intent.facts),
        "recipient": to.name,
        "phone": to.e164,
        "language": to.language,
        "state": (State.WAITING if deferred_until is None else State.DEFERRED).value,
        "created_at": at,
        "due_at": deferred_until or at,
    }
    return int(connection.execute(insert(core.alert).returning(core.alert.c.id), row).scalar_one())


def of_incident(connection: Connection, incident_id: int) -> list[Notification]:
    """Return every message of an incident, oldest first."""
    table = core.alert
    rows = connection.execute(joined().where(table.c.incident_id == incident_id).order_by(table.c.id))
    return [of_row(row) for row in rows]


def get(connection: Connection, alert_id: int) -> Notification | None:
    """Return a message by its number."""
    row = connection.execute(joined().where(core.alert.c.id == alert_id)).first()
    return None if row is None else of_row(row)


def caption_of(connection: Connection, alert_id: int) -> int | None:
    """Return the number of the caption that a notification is about, if there is one."""
    table = core.alert
    number = connection.execute(select(table.c.caption_id).where(table.c.id == alert_id)).scalar_one()
    return None if number is None else int(number)


def use_link(connection: Connection, alert_id: int, *, at: datetime) -> bool:
    """Mark the link of a notification as used; False where it was used before."""
    table = core.alert
    unused = (table.c.id == alert_id) & table.c.link_used_at.is_(None)
    return connection.execute(update(table).where(unused).values(link_used_at=at)).rowcount > 0


def send_status(connection: Connection, incident_id: int) -> SendStatus:
    """Return what became of the notifications of an incident; one in a digest has the digest's state."""
    own, digest = core.alert.alias(), core.alert.alias()
    query = (
        select(
            own.c.created_at,
            func.coalesce(digest.c.state, own.c.state).label("state"),
            func.coalesce(digest.c.sent_at, own.c.sent_at, type_=core.Moment()).label("sent_at"),
        )
        .join(digest, digest.c.id == own.c.told_in, isouter=True)
        .where(own.c.incident_id == incident_id, own.c.kind != Kind.RESOLVED.value)
    )
    rows = connection.execute(query).all()
    sent_at = max((row.sent_at for row in rows if row.state == State.SENT), default=None)
    since = [row for row in rows if sent_at is None or row.created_at > sent_at]
    waiting = any(row.state in (*OPEN, State.DEFERRED) for row in since)
    dead = max((row.created_at for row in since if row.state == State.DEAD), default=None)
    return SendStatus(sent_at, waiting, None if waiting else dead)


def lately(connection: Connection, recipient: str, *, since: datetime) -> list[datetime]:
    """Return the moments since then at which notifications that count towards the hourly limit were sent, or are due.

    Digests, notifications that an incident is over, and those of lost devices do not count.
    """
    table = core.alert
    moment = func.coalesce(table.c.sent_at, table.c.tried_at, table.c.due_at, type_=core.Moment())
    states = [state.value for state in (*OPEN, State.SENT)]
    counts = table.c.kind.not_in([Kind.DIGEST.value, Kind.RESOLVED.value]) & table.c.caption_id.is_not(None)
    query = select(moment).where(table.c.recipient == recipient, table.c.state.in_(states), counts, moment > since)
    return list(connection.execute(query).scalars())


def ends_since(connection: Connection, recipient: str, *, since: datetime) -> int:
    """Count the notifications that an incident is over that were made for someone since a moment."""
    table = core.alert
    own = (table.c.recipient == recipient) & (table.c.kind == Kind.RESOLVED.value) & (table.c.created_at > since)
    return int(connection.execute(select(func.count()).select_from(table).where(own)).scalar_one())


def knows(connection: Connection, recipient: str, incident_id: int, severity: Severity) -> bool:
    """Return whether someone was notified of an incident at this severity, or is about to be."""
    table = core.alert
    own = (table.c.recipient == recipient) & (table.c.incident_id == incident_id)
    same = (table.c.severity == severity) & (table.c.kind != Kind.RESOLVED.value)
    states = [state.value for state in (*OPEN, State.SENT, State.DIGESTED)]
    query = select(table.c.id).where(own, same, table.c.state.in_(states)).limit(1)
    return connection.execute(query).first() is not None


def notified_of(connection: Connection, incident_id: int) -> frozenset[str]:
    """Return the names of those who were notified of an incident, or are about to be."""
    table = core.alert
    states = [state.value for state in (*OPEN, State.SENT, State.DIGESTED)]
    query = select(table.c.recipient).where(table.c.incident_id == incident_id, table.c.state.in_(states))
    return frozenset(connection.execute(query.distinct()).scalars())


def doubt_unfinished(connection: Connection, *, at: datetime) -> int:
    """Mark every notification that a stopped service left `sending` as in doubt; returns their number."""
    table = core.alert
    unfinished = update(table).where(table.c.state == State.SENDING.value)
    return connection.execute(unfinished.values(state=State.DOUBT.value, due_at=at)).rowcount


def next_due(connection: Connection, *, at: datetime) -> Notification | None:
    """Return the message that has been due longest, if any is."""
    table = core.alert
    due = and_(table.c.state.in_([State.WAITING.value, State.DOUBT.value]), table.c.due_at <= at)
    row = connection.execute(joined().where(due).order_by(table.c.due_at, table.c.id).limit(1)).first()
    return None if row is None else of_row(row)


def next_due_at(connection: Connection) -> datetime | None:
    """Return when the next message is due, if any waits."""
    table = core.alert
    waiting = table.c.state.in_([State.WAITING.value, State.DOUBT.value])
    return connection.execute(select(table.c.due_at).where(waiting).order_by(table.c.due_at).limit(1)).scalar()


def begin(connection: Connection, alert_id: int, *, text: str, provider: str, at: datetime) -> bool:
    """Record that a message is about to be handed over, before it is; False where it waits no more."""
    table = core.alert
    waiting = (table.c.id == alert_id) & table.c.state.in_([State.WAITING.value, State.DOUBT.value])
    values = {"state": State.SENDING.value, "text": text, "provider": provider, "tried_at": at}
    begun = update(table).where(waiting).values(attempts=table.c.attempts + 1, **values)
    return connection.execute(begun).rowcount > 0


def mark_sent(connection: Connection, alert_id: int, *, provider_id: str, at: datetime) -> bool:
    """Record that the sender has taken a message; False where it was sent before, under another id."""
    table = core.alert
    first = (table.c.state != State.SENT.value) | (table.c.provider_id == provider_id)
    values = {"state": State.SENT.value, "provider_id": provider_id, "sent_at": at, "error": ""}
    return connection.execute(update(table).where(table.c.id == alert_id, first).values(**values)).rowcount > 0


def mark_dead(connection: Connection, alert_id: int, *, error: str) -> None:
    """Record that a message will never be sent, and why."""
    values = {"state": State.DEAD.value, "error": error[:400]}
    connection.execute(update(core.alert).where(core.alert.c.id == alert_id).values(**values))


def give_up_unsent(connection: Connection, recipient: str, *, error: str) -> int:
    """Record that nothing that waits for a recipient will be sent, and why; returns how many notifications it was."""
    table = core.alert
    unsent = table.c.state.in_([State.WAITING.value, State.DEFERRED.value])
    values = {"state": State.DEAD.value, "error": error[:400]}
    return connection.execute(update(table).where(table.c.recipient == recipient, unsent).values(**values)).rowcount


def put_off(connection: Connection, alert_id: int, *, state: State, due_at: datetime, error: str) -> None:
    """Record when a message is tried again (WAITING) or asked after (DOUBT), and why."""
    values = {"state": state.value, "due_at": due_at, "error": error[:400]}
    connection.execute(update(core.alert).where(core.alert.c.id == alert_id).values(**values))


def known_provider_ids(connection: Connection, provider_ids: list[str]) -> set[str]:
    """Return those of a sender's ids that belong to a message already."""
    table = core.alert
    return set(connection.execute(select(table.c.provider_id).where(table.c.provider_id.in_(provider_ids))).scalars())


def made_since(connection: Connection, at: datetime) -> list[Notification]:
    """Return every message that was made or sent since a moment, oldest first."""
    table = core.alert
    recent = or_(table.c.created_at >= at, table.c.sent_at >= at)
    return [of_row(row) for row in connection.execute(joined().where(recent).order_by(table.c.id))]


def count_by_state(connection: Connection) -> dict[State, int]:
    """Count all messages by how far they are."""
    table = core.alert
    counted = connection.execute(select(table.c.state, func.count()).group_by(table.c.state))
    return {State(state): int(number) for state, number in counted}


def count_unsent(connection: Connection) -> dict[tuple[State, str], int]:
    """Count the notifications that were not sent, by state and channel; "" before the first attempt."""
    table = core.alert
    states = [state.value for state in (State.DEFERRED, *OPEN, State.DEAD)]
    query = select(table.c.state, table.c.provider, func.count()).where(table.c.state.in_(states))
    rows = connection.execute(query.group_by(table.c.state, table.c.provider))
    return {(State(state), provider): int(count) for state, provider, count in rows}


def joined() -> Any:
    """Select notifications, each with the caption that it is about."""
    alert, caption = core.alert, core.caption
    columns = {"device": "device", "stream": "stream", "text": "sentence", "language": "sentence_language"}
    about = [func.coalesce(caption.c[name], "").label(label) for name, label in columns.items()]
    captured_at = func.coalesce(caption.c.captured_at, alert.c.created_at, type_=core.Moment()).label("captured_at")
    received_at = func.coalesce(caption.c.received_at, alert.c.created_at, type_=core.Moment()).label("received_at")
    return select(alert, *about, captured_at, received_at, caption.c.hazards).join(
        caption, caption.c.id == alert.c.caption_id, isouter=True
    )


def of_row(row: Row[Any]) -> Notification:
    """Read a message from a row of `joined`."""
    facts = {name: row._mapping[name] for name in Notification.__dataclass_fields__ if name != "reasons"}
    facts |= {"kind": Kind(row.kind), "state": State(row.state), "reasons": reasons.decode(row.because)}
    facts["hazards"] = {one["term"]: one["probability"] for one in row.hazards or ()}
    return Notification(**facts)
