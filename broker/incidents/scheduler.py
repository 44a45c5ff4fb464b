"""Advances open incidents, checks presence and releases deferred notifications, each when it is due."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine

from broker.incidents import digest, store
from broker.incidents.alerting import Notifier
from broker.incidents.grouping import Grouper
from broker.incidents.lifecycle import Lifecycle
from broker.incidents.presence.tracker import PresenceTracker
from broker.notify import deferred
from broker.ports import Leadership, Term
from broker.rules.compiler import Rulebook
from broker.store.engine import reading, writing

log = logging.getLogger(__name__)

LONGEST_IDLE_SECONDS: Final = 1.0
"""The database is read this often: the console may have closed an incident, another instance have opened one."""

PRUNING_PAUSE_SECONDS: Final = 0.05
"""Between two steps of deleting expired rows: several batches of captions fit in."""


@dataclass
class Scheduler:
    """Does what is due while this instance leads."""

    engine: Engine
    rulebook: Rulebook
    grouper: Grouper
    tracker: PresenceTracker | None
    """None where presence is not watched."""
    prune: Callable[[], bool]
    """Deletes a few expired rows, whenever nothing else is due; False where none are left. Raises `Locked`."""
    on_notification: Callable[[], None]
    """Called after a commit that may have queued notifications."""
    leadership: Leadership
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _pruned: bool = field(default=False, init=False)
    """Whether the last step deleted something."""

    def step(self) -> bool:
        """Advance the next due incident and release the next due deferred notifications; False where none is due.

        Raises `Locked`, and `Superseded` where another instance has taken over meanwhile.
        """
        self._pruned = False
        term = self.leadership.term
        if term is None:
            return False
        now = self.clock()
        if (self.tracker is not None and self._check_presence(self.tracker, term, now)) or self._advance(term, now):
            return True
        self._pruned = self.prune()
        return False

    def idle_seconds(self) -> float:
        """How long to wait until something is due; raises `Locked`."""
        if self._pruned:
            return PRUNING_PAUSE_SECONDS
        if self.leadership.term is None:
            return LONGEST_IDLE_SECONDS
        soon = [(moment - self.clock()).total_seconds() for moment in self._due_moments()]
        return min(max(min(soon, default=LONGEST_IDLE_SECONDS), 0.01), LONGEST_IDLE_SECONDS)

    def finish(self) -> None:
        """Leave what is due to the next leader."""

    def _advance(self, term: Term, now: datetime) -> bool:
        if all(moment > now for moment in self._due_moments()):
            return False
        with writing(self.engine) as connection:
            self.leadership.require(connection, term)
            incident = store.next_due(connection, at=now)
            if incident is not None:
                store.save(connection, Lifecycle(connection, self.rulebook, self.grouper, now).advance(incident))
            recipient = deferred.next_due(connection, at=now)
            if recipient is not None:
                notifier = Notifier(self.grouper.places)
                digest.release(connection, recipient, self.grouper.recipients, notifier, now=now)
        self.on_notification()
        return True

    def _check_presence(self, tracker: PresenceTracker, term: Term, now: datetime) -> bool:
        """Check the devices; True where notifications were queued."""
        made = tracker.check(self.engine, now=now, require=lambda connection: self.leadership.require(connection, term))
        for one in made:
            log.info("notification queued", extra=one.as_fields)
        if made:
            self.on_notification()
        return bool(made)

    def _due_moments(self) -> list[datetime]:
        with reading(self.engine) as connection:
            moments = (store.next_due_at(connection), deferred.next_due_at(connection))
        return [moment for moment in moments if moment is not None]
