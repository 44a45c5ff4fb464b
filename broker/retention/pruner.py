"""Deletes what is older than `retention` allows, once an hour, in steps so short that no caption waits for one."""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine

from broker.config.retention import KINDS, Retention
from broker.retention import expiry
from broker.store import vacuum
from broker.store.engine import writing

log = logging.getLogger(__name__)

EVERY: Final = timedelta(hours=1)
"""Between two runs: an hour more does no harm."""

AT_ONCE: Final = 200
"""Captions, or rows, deleted in one transaction: some ten milliseconds, as long as a batch of captions takes."""

INCIDENTS_AT_ONCE: Final = 20
"""Each has a timeline and messages."""


@dataclass
class Pruner:
    """One run an hour, each of as many steps as it needs."""

    engine: Engine
    retention: Retention
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _next_at: datetime | None = None
    _counted: Counter[str] = field(default_factory=Counter)

    def step(self) -> bool:
        """Delete a little; False where nothing is left to delete for now. Raises `Locked`."""
        now = self.clock()
        if self._next_at is not None and now < self._next_at:
            return False
        with writing(self.engine) as connection:
            counted = self._prune(connection, now)
        self._counted += counted
        pages = 0 if counted else vacuum.give_back(self.engine)
        self._counted["pages"] += pages
        if counted or pages:
            return True
        found = {name: count for name, count in self._counted.items() if count}
        if found:
            log.info("pruned", extra={"deleted": found})
        self._counted.clear()
        self._next_at = now + EVERY
        return False

    def _prune(self, connection: Connection, now: datetime) -> Counter[str]:
        for kind in KINDS:
            before = self.retention.horizon(kind, now)
            if before is not None and (counted := _some(connection, kind, before, now)):
                return counted
        return Counter()


def _some(connection: Connection, kind: str, before: datetime, now: datetime) -> Counter[str]:
    counted: Counter[str] = Counter()
    if kind == "captions":
        counted["captions"] += expiry.captions(connection, before=before, now=now, limit=AT_ONCE)
    elif kind == "incidents":
        counted += expiry.incidents(connection, before=before, limit=INCIDENTS_AT_ONCE)
    counted += expiry.rows(connection, kind, before=before, limit=AT_ONCE)
    return +counted
