"""Rollouts: to which devices a package is offered, and when it is offered to no further one.

A package is offered first to a small share of the devices of a class, or of some sites. Where one of these says that
the package did badly, the rollout halts by itself: nothing is offered any more, and what runs already goes on.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from broker.incidents.presence.devices import Device
from broker.store.tables import core
from contract.update import HALTING, Progress


class State(StrEnum):
    """Whether a rollout goes on."""

    ACTIVE = "active"
    HALTED = "halted"
    """A device said that the package did badly."""
    WITHDRAWN = "withdrawn"
    """Somebody has taken it back."""
    SUPERSEDED = "superseded"
    """Another package is offered to this class."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """One package, and whom it is offered to."""

    id: int
    target: str
    device_class: str
    sites: tuple[str, ...]
    """Empty for all."""
    percent: float
    """0 to 100."""
    state: State
    because: str
    """Why it was stopped; "" while it was not."""
    started_by: str
    started_at: datetime
    changed_at: datetime

    def includes(self, site: str, device: str, device_class: str) -> bool:
        """Return whether a device belongs to it; a higher percentage includes all of a lower one."""
        is_near = not self.sites or site in self.sites
        return device_class == self.device_class and is_near and share(self.target, site, device) < self.percent


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a rollout is, in devices."""

    included: int
    running: int
    failed: int


def share(target: str, site: str, device: str) -> float:
    """Return the place of a device in the order of a package's rollout, 0 to 100: another one for each package."""
    digest = hashlib.sha256(f"{target}\n{site}/{device}".encode()).digest()
    return 100 * int.from_bytes(digest[:8], "big") / 2**64


def start(  # noqa: PLR0913 - what a rollout is
    connection: Connection,
    target: str,
    device_class: str,
    *,
    sites: Sequence[str],
    percent: float,
    by: str,
    at: datetime,
) -> None:
    """Offer a package, or offer it to more or fewer devices; another package of the class is no longer offered."""
    table = core.rollout
    ours = (table.c.device_class == device_class) & (table.c.state == State.ACTIVE.value)
    known = connection.execute(select(table).where(ours, table.c.target == target)).first()
    if known is not None:
        changed = {"sites": list(sites), "percent": percent, "changed_at": at}
        connection.execute(update(table).where(table.c.id == known.id).values(changed))
        return
    _end(connection, ours, State.SUPERSEDED, because=target, at=at)
    row = {"target": target, "device_class": device_class, "sites": list(sites), "percent": percent, "because": ""}
    row |= {"state": State.ACTIVE.value, "started_by": by[:64], "started_at": at, "changed_at": at}
    connection.execute(insert(table), row)


def withdraw(connection: Connection, target: str, *, because: str, at: datetime) -> bool:
    """Offer a package no more; False where it is not offered."""
    table = core.rollout
    ours = (table.c.target == target) & (table.c.state == State.ACTIVE.value)
    return _end(connection, ours, State.WITHDRAWN, because=because, at=at) > 0


def newest(connection: Connection, *, limit: int = 20) -> list[Rollout]:
    """Return the last ones, newest first."""
    rows = connection.execute(select(core.rollout).order_by(core.rollout.c.id.desc()).limit(limit))
    return [_rollout(row) for row in rows]


def active(connection: Connection) -> list[Rollout]:
    """Return the rollouts that go on, one for each class."""
    rows = connection.execute(select(core.rollout).where(core.rollout.c.state == State.ACTIVE.value))
    return [_rollout(row) for row in rows]


def halt_failed(connection: Connection, everyone: Iterable[Device], *, at: datetime) -> list[Rollout]:
    """Halt each rollout of which a device says that its package did badly; returns those."""
    failed = {one.update_report.target: one for one in everyone if one.update_report and _failed(one)}
    halted = [one for one in active(connection) if one.target in failed]
    for one in halted:
        because = _because(failed[one.target])
        _end(connection, core.rollout.c.id == one.id, State.HALTED, because=because, at=at)
    return halted


def offered(rollouts: Iterable[Rollout], device: Device) -> str | None:
    """Return the package that a device should run; None where it keeps what it has."""
    if device.update_report is None:
        return None
    own = device.update_report.device_class
    return next((one.target for one in rollouts if one.includes(device.site, device.device, own)), None)


def counted(rollout: Rollout, everyone: Iterable[Device]) -> Counts:
    """Count the devices of a rollout by what they say of its package."""
    said = [one for one in everyone if one.update_report is not None]
    included = [one for one in said if rollout.includes(one.site, one.device, one.update_report.device_class)]  # type: ignore[union-attr]
    own = [one.update_report for one in said if one.update_report and one.update_report.target == rollout.target]
    return Counts(
        included=len(included),
        running=sum(one.progress is Progress.RUNNING for one in own),
        failed=sum(one.reason in HALTING for one in own),
    )


def _failed(device: Device) -> bool:
    report = device.update_report
    return report is not None and report.reason in HALTING


def _because(device: Device) -> str:
    report = device.update_report
    if report is None or report.reason is None:
        return ""
    detail = f": {report.detail}" if report.detail else ""
    return f"{device.site}/{device.device} {report.progress.value}, {report.reason.value}{detail}"[:400]


def _end(connection: Connection, which: Any, state: State, *, because: str, at: datetime) -> int:
    changed = {"state": state.value, "because": because[:400], "changed_at": at}
    return connection.execute(update(core.rollout).where(which).values(changed)).rowcount


def _rollout(row: Row[Any]) -> Rollout:
    known = {name: row._mapping[name] for name in Rollout.__dataclass_fields__}
    return Rollout(**known | {"sites": tuple(row.sites), "state": State(row.state)})
