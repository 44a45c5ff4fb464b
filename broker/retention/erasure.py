"""Erases on request: captions about someone, and a telephone number in old notifications."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, func, select, update

from broker.config.sites import Places
from broker.retention import audit, deletion
from broker.retention.audit import Entry
from broker.store import selection, vacuum
from broker.store.engine import reading, writing
from broker.store.selection import Mark, Scope
from broker.store.tables import core
from broker.store.tables.messaging import reply

AT_ONCE: Final = 200
"""Captions deleted in one transaction; the alert service waits for no longer than that takes."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted, or would be."""

    counts: Counter[str]
    """`captions`, `messages`, `entries` of timelines, `replies`, `samples` of refused messages."""
    in_use: int
    """Captions or notifications that stay for now: an incident is open, or a notification is still to be sent."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for it, and from where."""

    name: str
    address: str


def count(engine: Engine, wish: Scope) -> Forgotten:
    """Count what `forget` would delete, and change nothing."""
    with reading(engine) as connection:
        every = selection.count(connection, wish)
        kept = selection.count(connection, wish, deletion.in_use())
    return Forgotten(Counter({"captions": every - kept}), kept)


def forget(engine: Engine, wish: Scope, asker: Asker, *, now: datetime) -> Forgotten:
    """Delete captions, with the words of notifications and timelines about them. Raises `Locked`.

    That there was an incident, when, and who answered, stays. The audit log gets how many sentences of which place
    and time are gone, before the first is.
    """
    with writing(engine) as connection:
        found = selection.count(connection, wish)
        audit.add(connection, Entry(now, asker.name, asker.address, "forget", described(wish), f"{found} sentences"))
    counts: Counter[str] = Counter()
    kept, after, more = 0, None, True
    while more:
        with writing(engine) as connection:
            after, deleted, stayed = _some(connection, wish, after)
        counts += deleted
        kept += stayed
        more = after is not None
    vacuum.wipe(engine)
    return Forgotten(counts, kept)


def _some(connection: Connection, wish: Scope, after: Mark | None) -> tuple[Mark | None, Counter[str], int]:
    rows = selection.page(connection, wish, after, limit=AT_ONCE)
    if not rows:
        return None, Counter(), 0
    ids, caption = [row.id for row in rows], core.caption
    free = list(connection.scalars(select(caption.c.id).where(caption.c.id.in_(ids), ~deletion.in_use())))
    counted = deletion.what_was_said(connection, free)
    counted["captions"] = deletion.captions(connection, free)
    return selection.mark(rows[-1]), counted, len(ids) - len(free)


def count_phone(engine: Engine, phone: str) -> Forgotten:
    """Count what `forget_phone` would change, and change nothing."""
    alert = core.alert
    with reading(engine) as connection:
        sent_to = select(func.count()).select_from(alert).where(alert.c.phone == phone)
        every = int(connection.execute(sent_to).scalar_one())
        kept = int(connection.execute(sent_to.where(alert.c.state.in_(deletion.UNSENT))).scalar_one())
        answered = select(func.count()).select_from(reply).where(reply.c.phone == phone)
        replies = int(connection.execute(answered).scalar_one())
        samples = len(_samples(connection, phone))
    return Forgotten(+Counter({"messages": every - kept, "replies": replies, "samples": samples}), kept)


def forget_phone(engine: Engine, phone: str, asker: Asker, *, now: datetime) -> Forgotten:
    """Remove a number, and the replies from it, from notifications that are done. Raises `Locked`."""
    alert, refusal = core.alert, core.refusal
    with writing(engine) as connection:
        mine = alert.c.phone == phone
        sent = update(alert).where(mine, alert.c.state.not_in(deletion.UNSENT)).values(phone="")
        counts = Counter({"messages": connection.execute(sent).rowcount})
        counts["replies"] = connection.execute(
            update(reply).where(reply.c.phone == phone).values(phone="", text="")
        ).rowcount
        for reason, topic in _samples(connection, phone):
            same = (refusal.c.reason == reason) & (refusal.c.topic == topic)
            connection.execute(update(refusal).where(same).values(sample=b""))
            counts["samples"] += 1
        kept = int(connection.execute(select(func.count()).select_from(alert).where(mine)).scalar_one())
        counts = +counts
        said = ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "nothing"
        audit.add(connection, Entry(now, asker.name, asker.address, "forget", "a telephone number", said))
    vacuum.wipe(engine)
    return Forgotten(counts, kept)


def _samples(connection: Connection, phone: str) -> list[tuple[str, str]]:
    """Find the refused messages whose sample holds a number; there are a thousand kinds at most."""
    table = core.refusal
    rows = connection.execute(select(table.c.reason, table.c.topic, table.c.sample))
    return [(row.reason, row.topic) for row in rows if phone.encode() in row.sample]


def described(wish: Scope, places: Places | None = None) -> str:
    """Return what is meant, by the clock of `places` or else in UTC."""
    clock = (places or Places.nameless()).clock
    parts = [f"site={wish.site}" if wish.site else "", f"device={wish.device}" if wish.device else ""]
    if wish.since is not None:
        parts.append(f"from {wish.since.astimezone(clock):%Y-%m-%dT%H:%M%z}")
    if wish.until is not None:
        parts.append(f"to {wish.until.astimezone(clock):%Y-%m-%dT%H:%M%z}")
    return " ".join(part for part in parts if part) or "everything"
