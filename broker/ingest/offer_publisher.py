"""Publishes to each device, retained, the package that it should run, and halts rollouts that do badly."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine

from broker.incidents.presence import devices
from broker.ingest.rollout import stages
from broker.ingest.threshold_publisher import Retaining
from broker.store.engine import reading, writing
from contract import topics, update
from contract.update import Offer

PERIOD_SECONDS: Final = 5.0
"""The database is asked this often."""

log = logging.getLogger(__name__)


@dataclass
class OfferPublisher:
    """One instance's share of it; where several publish the same, the last one counts, and says the same."""

    engine: Engine
    renew: Callable[[datetime], None]
    """Renews the signatures of the repository, where that is due."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock: Callable[[], float] = time.monotonic
    _connection: Retaining | None = None
    _next_at: float = 0.0
    _said: dict[tuple[str, str], str | None] = field(default_factory=dict)
    """What each device was offered on this connection."""

    def work(self, connection: Retaining) -> None:
        """Halt and publish what is due; on a new connection all, as the server may have lost it.

        Raises `Locked`, and `ConnectionLost` of the connection.
        """
        if self._connection is not connection:
            self._connection, self._next_at = connection, 0.0
            self._said.clear()
        if self.clock() < self._next_at:
            return
        self.renew(self.now())
        for site, device, target in self._due():
            offer = Offer(site=site, device=device, at=self.now(), target=target)
            connection.retain(topics.topic(site, device, "update"), update.encode(offer))
            self._said[site, device] = target
        self._next_at = self.clock() + PERIOD_SECONDS

    def _due(self) -> list[tuple[str, str, str | None]]:
        with reading(self.engine) as database:
            everyone = [one for one in devices.everyone(database) if one.update_report is not None]
            rollouts = stages.active(database) if everyone else []
        if any(one.update_report and one.update_report.reason in update.HALTING for one in everyone) and rollouts:
            with writing(self.engine) as database:
                for halted in stages.halt_failed(database, everyone, at=self.now()):
                    log.error("rollout halted", extra={"target": halted.target})
                rollouts = stages.active(database)
        wanted = ((one.site, one.device, stages.offered(rollouts, one)) for one in everyone)
        return [
            (site, device, target)
            for site, device, target in wanted
            if self._said.get((site, device), "never") != target
        ]
