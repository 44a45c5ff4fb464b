"""Walks the open incidents, and what is held for someone, whenever something is due."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine

from broker.config.errors import Locked
from broker.incidents import digest, store
from broker.incidents.alerting import Notifier
from broker.incidents.grouping import Grouper
from broker.incidents.lifecycle import Lifecycle
from broker.incidents.presence.tracker import PresenceTracker
from broker.notify import deferred
from broker.ports import Leadership, SoleInstance, Superseded, Term
from broker.rules.compiler import Rulebook
from broker.store.engine import reading, writing

log = logging.getLogger(__name__)

LONGEST_NAP_SECONDS: Final = 1.0
"""The database is looked at this often: the console may have closed an incident, another instance have opened one."""

LOCKED_PAUSE_SECONDS: Final = 1.0

PRUNING_PAUSE_SECONDS: Final = 0.05
"""Between two steps of deleting what is too old: several batches of captions fit in."""


@dataclass
class Scheduler:
    """One guard's rounds, while on duty. `on_alert` is called after a commit that may have made messages."""

    engine: Engine
    rulebook: Rulebook
    grouper: Grouper
    roll: PresenceTracker | None = None
    """Calls the devices; None where nobody misses them."""
    on_alert: Callable[[], None] = lambda: None
    leadership: Leadership = field(default_factory=SoleInstance)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    prune: Callable[[], bool] | None = None
    """Deletes a little of what is too old, whenever nothing else is due; False where nothing is left."""
    beat: Callable[[], None] = lambda: None
    """Called again and again while it turns."""
    _wake: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)

    def wake(self) -> None:
        """Say that there may be something to do."""
        self._wake.set()

    def stop(self) -> None:
        """Ask `run` to come to its end."""
        self._stop.set()
        self._wake.set()

    def run(self) -> None:
        """Do what is due, whenever it is due, until `stop`."""
        while not self._stop.is_set():
            self.beat()
            self._wake.clear()
            try:
                pause = 0.0 if self.step() else self._prune() or self._nap()
            except Locked as error:
                log.warning("database is locked; waiting", extra={"error": str(error)})
                pause = LOCKED_PAUSE_SECONDS
            except Superseded:
                pause = LONGEST_NAP_SECONDS
            if pause and not self._stop.is_set():
                self._wake.wait(pause)

    def step(self) -> bool:
        """Look after the next incident and the next reader of held messages that are due; False where none is.

        Raises `Locked`, and `Superseded` where another instance has taken over meanwhile.
        """
        term = self.leadership.term
        if term is None:
            return False
        now = self.clock()
        if self.roll is not None and self._call(self.roll, term, now):
            return True
        with reading(self.engine) as connection:
            moments = (store.next_due_at(connection), deferred.next_due_at(connection))
        if all(moment is None or moment > now for moment in moments):
            return False
        with writing(self.engine) as connection:
            self.leadership.require(connection, term)
            incident = store.next_due(connection, at=now)
            if incident is not None:
                store.save(connection, Lifecycle(connection, self.rulebook, self.grouper, now).pay(incident))
            reader = deferred.next_due(connection, at=now)
            if reader is not None:
                digest.release(connection, reader, self.grouper.recipients, Notifier(self.grouper.places), now=now)
        self.on_alert()
        return True

    def _prune(self) -> float:
        """Delete a little of what is too old; gives the pause after it, or 0 where there is none."""
        if self.prune is None or self.leadership.term is None:
            return 0.0
        return PRUNING_PAUSE_SECONDS if self.prune() else 0.0

    def _call(self, roll: PresenceTracker, term: Term, now: datetime) -> bool:
        """Call the devices, and say whether anyone is told of some."""
        made = roll.call(self.engine, now=now, require=lambda connection: self.leadership.require(connection, term))
        for one in made:
            log.info("alert made", extra=one.as_fields)
        if made:
            self.on_alert()
        return bool(made)

    def _nap(self) -> float:
        if self.leadership.term is None:
            return LONGEST_NAP_SECONDS
        with reading(self.engine) as connection:
            moments = (store.next_due_at(connection), deferred.next_due_at(connection))
        soon = [(moment - self.clock()).total_seconds() for moment in moments if moment is not None]
        return min(max(min(soon, default=LONGEST_NAP_SECONDS), 0.01), LONGEST_NAP_SECONDS)
