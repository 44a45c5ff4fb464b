"""The table of devices: the last status of each."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, or_, select

from broker.incidents.presence.detector import CONDITION, Presence
from broker.store.tables import core
from contract.status import (
    CameraCondition,
    CameraState,
    Clock,
    Exposure,
    Fallback,
    Ledger,
    Stage,
    State,
    Status,
)
from contract.system import System
from contract.update import Update

SILENT: Final = timedelta(minutes=5)
"""A device writes its status every minute by default: five missing ones mean something. `presence` goes first."""

_TROUBLE: Final = ("fallbacks", "clock", "cameras", "conditions", "exposed", "evidence", "system")
"""Columns of what a device says of itself in every status but its last will."""

DISARMED: Final = "disarmed"
"""Shown of a device that does not watch, because someone has switched that off."""


@dataclass(frozen=True, slots=True)
class Device:
    """The last status of one device."""

    site: str
    device: str
    state: State
    since: datetime
    heard_at: datetime
    """By this server's clock."""
    reason: str
    version: str
    model: str
    ledger: Ledger
    stages: tuple[Stage, ...]
    update_report: Update | None = None
    """Where it is with its model updates; None where it takes none."""
    fallbacks: tuple[Fallback, ...] | None = None
    """What it does not use, working with the last good one; None where it uses all as it stands."""
    clock: Clock | None = None
    """What is wrong with its clock, where something is known to be."""
    cameras: tuple[CameraState, ...] | None = None
    """Each of its cameras; None where it has one."""
    conditions: tuple[CameraCondition, ...] | None = None
    """What is wrong with the pictures of its cameras, the worst first; None where nothing is."""
    exposed: tuple[Exposure, ...] | None = None
    """What does not hold of its isolation; None where all of it holds."""
    evidence: bool | None = None
    """Whether it keeps sealed pictures of alarms for its owner."""
    system: System | None = None
    """Which system its card runs, and the last update of it; None where it does not run wordcam's own image."""


def health(device: Device, now: datetime, silent: timedelta = SILENT) -> str:
    """Return the health of a device: `online`, `silent` or `offline`."""
    if device.state is State.OFFLINE:
        return "offline"
    return "silent" if now - device.heard_at > silent else "online"


def record(connection: Connection, status: Status, *, heard_at: datetime) -> bool:
    """Keep a status, unless it is the last will of a connection that a newer one has replaced.

    Statuses are retained: an old one arrives again whenever this service subscribes, and does not show that the device
    works. Nor does a last will, which the MQTT server sends. A connection that has ended stays ended where instances
    ingest its messages out of order.
    """
    table = core.device
    own = (table.c.site == status.site) & (table.c.device == status.device)
    known = connection.execute(select(table).where(own)).first()
    if known is not None and status.since < known.since and status.state is State.OFFLINE:
        return False
    if known is not None and status.since == known.since and known.state == State.OFFLINE.value:
        return False
    row = {
        "site": status.site,
        "device": status.device,
        "state": status.state.value,
        "since": status.since,
        "heard_at": heard_at if known is None or _is_news(status, known) else known.heard_at,
        "said_at": status.at,
        "changed_at": (known.changed_at or known.heard_at) if known and _is_as_before(status, known) else heard_at,
        "frames_at": _frames_at(status, known, heard_at),
        "reason": _reason(status),
        # A last will is written in advance and knows less than the statuses since.
        "version": status.version or (known.version if known else ""),
        "model": status.model or (known.model if known else ""),
        "ledger": msgspec.to_builtins(status.ledger) if status.ledger else (known.ledger if known else {}),
        "stages": msgspec.to_builtins(status.stages) or (known.stages if known else []),
        "update_report": _update_report(status, known),
        **_trouble(status, known),
    }
    connection.execute(delete(table).where(own))
    connection.execute(insert(table), row)
    return True


def _trouble(status: Status, known: Row[Any] | None) -> dict[str, Any]:
    """Return what a device says of its files, clock, cameras, isolation and system; a last will does not say."""
    if status.at is None:
        return {name: getattr(known, name, None) for name in _TROUBLE}
    return {name: msgspec.to_builtins(getattr(status, name) or None) for name in _TROUBLE}


def _update_report(status: Status, known: Row[Any] | None) -> Any:
    if status.update is not msgspec.UNSET:
        return msgspec.to_builtins(status.update)
    # A last will does not say.
    return known.update_report if known is not None and status.at is None else None


def _reason(status: Status) -> str:
    """Return the device's own reason or, where it gives none, its worst camera condition and the camera.

    A device that someone has disarmed is well, and says so.
    """
    if status.reason:
        return status.reason
    if not status.conditions:
        return DISARMED if status.armed is False else ""
    worst = status.conditions[0]
    return f"{CONDITION}{worst.condition.value}: {worst.stream}"


def _is_news(status: Status, known: Row[Any]) -> bool:
    if status.at is None:
        return False
    return (status.state.value, status.since, status.at) != (known.state, known.since, known.said_at)


def _is_as_before(status: Status, known: Row[Any]) -> bool:
    """Compare the state and the kind of the reason: `camera gone` for one cause or another is the same."""
    kinds = [reason.partition(":")[0] for reason in (_reason(status), known.reason)]
    return status.state.value == known.state and kinds[0] == kinds[1]


def _frames_at(status: Status, known: Row[Any] | None, heard_at: datetime) -> Any:
    """Return when a device last looked at a new frame; None for one that counts none."""
    if status.ledger is None or not status.ledger.frames:
        return known.frames_at if known else None
    # With a new connection it starts afresh: the device was away, and had no time to look.
    if known is None or known.frames_at is None or status.since != known.since:
        return heard_at
    same = status.ledger.frames == msgspec.convert(known.ledger, Ledger).frames
    return known.frames_at if same else heard_at


def doubtful(connection: Connection, *, heard_before: datetime, seen_before: datetime) -> list[Presence]:
    """Return the devices that may not be well.

    These are offline, were not heard since a moment, give a reason, or have seen no frame since another moment.
    """
    table = core.device
    wrong = or_(
        table.c.state == State.OFFLINE.value,
        table.c.heard_at < heard_before,
        table.c.reason != "",
        table.c.frames_at < seen_before,
    )
    columns = [table.c[name] for name in ("site", "device", "state", "reason", "heard_at", "frames_at")]
    changed_at = func.coalesce(table.c.changed_at, table.c.heard_at, type_=core.Moment()).label("changed_at")
    rows = connection.execute(select(*columns, changed_at).where(wrong).order_by(table.c.site, table.c.device))
    return [msgspec.convert(row, Presence, from_attributes=True) for row in rows]


def heard(connection: Connection, site: str, *, since: datetime) -> dict[str, datetime]:
    """Return when the devices of a site last sent a caption that was also made since a moment."""
    table = core.caption
    recent = (table.c.site == site) & (table.c.captured_at >= since)
    rows = connection.execute(
        select(table.c.device, func.max(table.c.received_at, type_=core.Moment()).label("at"))
        .where(recent)
        .group_by(table.c.device)
    )
    return {row.device: row.at for row in rows}


def count(connection: Connection) -> int:
    """Count the devices that have ever spoken."""
    return int(connection.execute(select(func.count()).select_from(core.device)).scalar_one())


def states(connection: Connection) -> dict[tuple[str, str], tuple[State, Ledger]]:
    """Return the state and the ledger of every device, by site and device."""
    rows = connection.execute(select(core.device).order_by(core.device.c.site, core.device.c.device))
    return {(row.site, row.device): (State(row.state), msgspec.convert(row.ledger, Ledger)) for row in rows}


def everyone(connection: Connection) -> list[Device]:
    """Return every device, by site and device."""
    rows = connection.execute(select(core.device).order_by(core.device.c.site, core.device.c.device))
    return [msgspec.convert(row, Device, from_attributes=True) for row in rows]
