"""Deletes captions and incidents, with the rows that refer to them."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select, tuple_, update

from broker.notify.notifications import OPEN, State
from broker.store import rollup
from broker.store.captions import GONE
from broker.store.tables import core
from broker.store.tables.console import caption_words
from broker.store.tables.messaging import delivery, resend, translation

UNSENT = [state.value for state in (*OPEN, State.DEFERRED)]
"""States of a notification that is still to be sent."""


def in_use() -> ColumnElement[bool]:
    """Whether an open incident, or a notification that is not sent, is about a caption."""
    caption, decision, incident, alert = core.caption, core.decision, core.incident, core.alert
    decided = decision.c.caption_id == caption.c.id
    return or_(
        exists().where(alert.c.caption_id == caption.c.id, alert.c.state.in_(UNSENT)),
        exists().where(decided, decision.c.incident_id == incident.c.id, goes_on()),
        caption.c.id.in_(select(incident.c.caption_id).where(goes_on())),
    )


def goes_on() -> ColumnElement[bool]:
    """Whether an incident is open, or over with notifications still to be queued."""
    return or_(core.incident.c.open_key.is_not(None), core.incident.c.due_at.is_not(None))


def stays() -> ColumnElement[bool]:
    """Whether a caption's row has to stay: a notification refers to it, or its number could be used twice.

    SQLite reuses the number of a deleted newest row.
    """
    caption, alert = core.caption, core.alert
    newest = select(func.max(caption.c.id)).correlate(None).scalar_subquery()
    return or_(caption.c.id == newest, exists().where(alert.c.caption_id == caption.c.id))


def captions(connection: Connection, ids: Sequence[int]) -> int:
    """Delete captions with their decisions, words and translations; returns how many there were.

    A row that has to stay loses its sentence and everything that was seen with it.
    """
    caption, decision = core.caption, core.decision
    if not ids:
        return 0
    said = list(connection.execute(select(caption.c.text).where(caption.c.id.in_(ids)).distinct()).scalars())
    connection.execute(delete(translation).where(translation.c.original.in_(said)))
    rollup.remove(connection, ids)
    connection.execute(delete(caption_words).where(caption_words.c.caption_id.in_(ids)))
    connection.execute(delete(decision).where(decision.c.caption_id.in_(ids)))
    kept = list(connection.execute(select(caption.c.id).where(caption.c.id.in_(ids), stays())).scalars())
    emptied = {"text": GONE, "labels": [], "hazards": [], "confidence": 0.0, "people": None, "visits": None}
    connection.execute(update(caption).where(caption.c.id.in_(kept)).values(**emptied))
    connection.execute(delete(caption).where(caption.c.id.in_(set(ids) - set(kept))))
    return len(ids)


def what_was_said(connection: Connection, ids: Sequence[int]) -> Counter[str]:
    """Remove the words from notifications and timelines about captions; the incidents stay."""
    alert, event, decision = core.alert, core.incident_event, core.decision
    quoting = alert.c.caption_id.in_(ids)
    silent = {"text": "", "because": "", "facts": {}}
    messages = connection.execute(update(alert).where(quoting, alert.c.text != "").values(**silent)).rowcount
    # By the incidents of their decisions, because timelines are found by incident and not by caption.
    about = select(decision.c.incident_id).where(decision.c.caption_id.in_(ids))
    mine = and_(event.c.incident_id.in_(about), event.c.caption_id.in_(ids))
    entries = connection.execute(update(event).where(mine).values(detail="")).rowcount
    return Counter({"messages": messages, "entries": entries})


def incidents(connection: Connection, ids: Sequence[int]) -> Counter[str]:
    """Delete incidents with their timelines and messages; decisions about their captions stay without them."""
    alert, decision, event = core.alert, core.decision, core.incident_event
    if not ids:
        return Counter()
    gone = messages(connection, list(connection.scalars(select(alert.c.id).where(alert.c.incident_id.in_(ids)))))
    connection.execute(update(decision).where(decision.c.incident_id.in_(ids)).values(incident_id=None))
    connection.execute(delete(event).where(event.c.incident_id.in_(ids)))
    connection.execute(delete(core.incident).where(core.incident.c.id.in_(ids)))
    return Counter({"incidents": len(ids), "messages": gone})


def messages(connection: Connection, ids: Sequence[int]) -> int:
    """Delete text messages with what their providers reported of them; returns how many there were."""
    alert = core.alert
    if not ids:
        return 0
    mine = alert.c.id.in_(ids)
    reported = select(alert.c.provider, alert.c.provider_id).where(mine, alert.c.provider_id != "")
    connection.execute(delete(delivery).where(tuple_(delivery.c.provider, delivery.c.provider_id).in_(reported)))
    connection.execute(delete(resend).where(resend.c.alert_id.in_(ids)))
    connection.execute(update(alert).where(alert.c.told_in.in_(ids)).values(told_in=None))
    connection.execute(delete(alert).where(mine))
    return len(ids)
