"""The table of incidents, and each one's timeline."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, get_args

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from broker.incidents import incident as incidents
from broker.incidents.incident import Event, EventKind, Incident, LastNotified, State
from broker.notify import reasons
from broker.notify.message.outage import LostDevice
from broker.notify.reasons import How, Via
from broker.store.tables import core

ANSWERS = (EventKind.ACKNOWLEDGED, EventKind.RESOLVED, EventKind.FALSE_ALARM)
"""Entries that a person's answer writes."""


def open_at(connection: Connection, site: str, danger: str) -> Incident | None:
    """Return the open incident of a danger at a site, and keep other writers from it until the commit."""
    open_key = incidents.key(site, danger)
    row = connection.execute(select(core.incident).where(core.incident.c.open_key == open_key).with_for_update())
    return _one(row.first())


def get(connection: Connection, incident_id: int, *, lock: bool = False) -> Incident | None:
    """Return an incident by its number; with `lock`, keep other writers from it until the commit."""
    query = select(core.incident).where(core.incident.c.id == incident_id)
    return _one(connection.execute(query.with_for_update() if lock else query).first())


def last_closed(connection: Connection, site: str, danger: str) -> Incident | None:
    """Return the incident of a danger at a site that ended last."""
    table = core.incident
    mine = (table.c.site == site) & (table.c.danger == danger) & table.c.closed_at.is_not(None)
    return _one(connection.execute(select(table).where(mine).order_by(table.c.closed_at.desc()).limit(1)).first())


def closed_by_someone(connection: Connection, site: str, danger: str, *, since: datetime) -> list[Incident]:
    """Return the incidents of a danger at a site that someone has closed since a moment."""
    table = core.incident
    mine = (table.c.site == site) & (table.c.danger == danger) & (table.c.closed_at >= since)
    return [_incident(row) for row in connection.execute(select(table).where(mine, table.c.closed_by != ""))]


def start(connection: Connection, incident: Incident) -> Incident:
    """Write a new incident and return it with its number.

    Where another writer has opened it at the same moment, returns that one.
    """
    try:
        with connection.begin_nested():
            made = connection.execute(insert(core.incident).returning(core.incident.c.id), _columns(incident))
            return replace(incident, id=int(made.scalar_one()))
    except IntegrityError:
        other = open_at(connection, incident.site, incident.danger)
        if other is None:
            raise
        return other


def save(connection: Connection, incident: Incident) -> None:
    """Write how an incident stands now."""
    table = core.incident
    connection.execute(update(table).where(table.c.id == incident.id).values(**_columns(incident)))


def next_due(connection: Connection, *, at: datetime) -> Incident | None:
    """Return the incident that has been due longest, if any is due."""
    table = core.incident
    query = select(table).where(table.c.due_at <= at).order_by(table.c.due_at, table.c.id).limit(1)
    return _one(connection.execute(query.with_for_update()).first())


def next_due_at(connection: Connection) -> datetime | None:
    """Return when the next incident is due, if any is open."""
    return connection.execute(select(func.min(core.incident.c.due_at))).scalar()


def now_open(connection: Connection, site: str | None = None) -> list[Incident]:
    """Return the open incidents, those of one site where it is named, oldest first."""
    table = core.incident
    query = select(table).where(table.c.open_key.is_not(None)).order_by(table.c.id)
    rows = connection.execute(query if site is None else query.where(table.c.site == site))
    return [_incident(row) for row in rows]


def newest(
    connection: Connection,
    *,
    states: Collection[State] = (),
    sites: Collection[str] = (),
    before: int | None = None,
    limit: int = 50,
) -> list[Incident]:
    """Return a page of incidents, newest first: of some states and sites (none: all), numbered below `before`."""
    table = core.incident
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    if states:
        query = query.where(table.c.state.in_([state.value for state in states]))
    if sites:
        query = query.where(table.c.site.in_(sites))
    if before is not None:
        query = query.where(table.c.id < before)
    return [_incident(row) for row in connection.execute(query)]


def notified_to(connection: Connection, phone: str) -> list[Incident]:
    """Return the open incidents that a number was notified of, the latest first: what a reply may be about."""
    alert, table = core.alert, core.incident
    last = select(alert.c.incident_id, func.max(alert.c.id).label("last")).where(
        alert.c.phone == phone, alert.c.text != ""
    )
    notified = last.group_by(alert.c.incident_id).subquery()
    query = select(table).join(notified, notified.c.incident_id == table.c.id).where(table.c.open_key.is_not(None))
    return [_incident(row) for row in connection.execute(query.order_by(notified.c.last.desc()))]


def add_event(connection: Connection, incident_id: int, event: Event) -> None:
    """Write one entry of the timeline."""
    row = {
        "incident_id": incident_id,
        "at": event.at,
        "kind": event.kind.value,
        "by": event.by,
        "detail": reasons.encode(event.detail),
        "caption_id": event.caption_id,
    }
    connection.execute(insert(core.incident_event), row)


def note_once(connection: Connection, incident_id: int, event: Event) -> None:
    """Write one entry of the timeline unless the same entry is there already."""
    table = core.incident_event
    same = (table.c.incident_id == incident_id) & (table.c.kind == event.kind.value)
    known = select(table.c.id).where(same, table.c.detail == reasons.encode(event.detail)).limit(1)
    if connection.execute(known).first() is None:
        add_event(connection, incident_id, event)


def timeline(connection: Connection, incident_id: int) -> Sequence[Event]:
    """Return what happened to an incident, oldest first."""
    table = core.incident_event
    rows = connection.execute(select(table).where(table.c.incident_id == incident_id).order_by(table.c.id))
    return [_event(row) for row in rows]


def _event(row: Row[Any]) -> Event:
    kind = EventKind(row.kind)
    detail = reasons.decode(row.detail)
    if kind in ANSWERS and row.detail in get_args(How):
        detail = (Via(row.detail),)  # as version 0.1 wrote it
    return Event(row.at, kind, detail, row.by, row.caption_id)


def _columns(incident: Incident) -> dict[str, Any]:
    notified = incident.notified
    return {
        "site": incident.site,
        "danger": incident.danger,
        "open_key": incident.open_key,
        "rule": incident.rule,
        "severity": incident.severity,
        "state": incident.state.value,
        "opened_at": incident.opened_at,
        "seen_at": incident.seen_at,
        "sightings": incident.sightings,
        "cameras": list(incident.cameras),
        "caption_id": incident.caption_id,
        "tellings": incident.notification_count,
        "told": {} if notified is None else _told(notified),
        "step": incident.step,
        "stepped_at": incident.stepped_at,
        "acknowledged_at": incident.acknowledged_at,
        "acknowledged_by": incident.acknowledged_by,
        "acknowledged_how": incident.acknowledged_how,
        "closed_at": incident.closed_at,
        "closed_by": incident.closed_by,
        "due_at": incident.due_at,
        "lost": msgspec.to_builtins(incident.lost),
    }


def _told(notified: LastNotified) -> dict[str, Any]:
    late = {"late_seconds": notified.late_seconds} if notified.late_seconds else {}
    suspected = {"suspected": True} if notified.suspected else {}
    return {"severity": notified.severity, "cameras": list(notified.cameras)} | late | suspected


def _last_notified(told: dict[str, Any]) -> LastNotified:
    late_seconds, suspected = told.get("late_seconds", 0), told.get("suspected", False)
    return LastNotified(told["severity"], tuple(told["cameras"]), late_seconds, suspected)


def _one(row: Row[Any] | None) -> Incident | None:
    return None if row is None else _incident(row)


def _incident(row: Row[Any]) -> Incident:
    told = row.told
    notified = _last_notified(told) if told else None
    columns = {"open_key", "told", "tellings"}
    facts = {key: value for key, value in row._mapping.items() if key not in columns}
    facts |= {"state": State(row.state), "cameras": tuple(row.cameras)}
    facts |= {"notified": notified, "notification_count": row.tellings}
    facts |= {"lost": tuple(msgspec.convert(one, LostDevice) for one in row.lost)}
    return Incident(**facts)
