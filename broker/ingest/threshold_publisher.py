"""Publishes to each device the thresholds that false alarms have raised, retained, until the MQTT server has them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from sqlalchemy import Engine

from broker.incidents import raised_thresholds
from broker.store.engine import reading, writing
from contract import thresholds, topics

PERIOD_SECONDS: Final = 2.0
"""The database is asked this often: someone who has called a false alarm does not wait for more."""


class Retaining(Protocol):
    """What is asked of a connection."""

    @property
    def owes(self) -> bool:
        """Whether the server has not confirmed something yet."""
        ...

    def retain(self, topic: str, payload: bytes) -> None:
        """Publish a message that the server keeps."""
        ...


@dataclass
class ThresholdPublisher:
    """One instance's share of it; where several publish the same, the last one counts, and says the same."""

    engine: Engine
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock: Callable[[], float] = time.monotonic
    _connection: Retaining | None = None
    _next_at: float = 0.0
    _said: list[tuple[str, str, datetime]] = field(default_factory=list)
    """Devices with what is on its way to the server, as of a moment."""

    def work(self, connection: Retaining) -> None:
        """Publish what is due on a connection; on a new one all that is in force, as the server may have lost it.

        Raises `Locked`, and `Lost` of the connection.
        """
        if self._connection is not connection:
            self._connection, self._next_at = connection, 0.0
            self._said.clear()
            self._publish(connection, everything=True)
        elif self.clock() >= self._next_at:
            self._confirm(connection)
            if not self._said:
                self._publish(connection, everything=False)

    def _publish(self, connection: Retaining, *, everything: bool) -> None:
        now = self.now()
        with reading(self.engine) as database:
            devices = dict.fromkeys(raised_thresholds.unsent(database))
            devices |= dict.fromkeys(raised_thresholds.in_force(database, at=now) if everything else ())
            messages = [raised_thresholds.message(database, *device, at=now) for device in devices]
        for message in messages:
            topic = topics.topic(message.site, message.device, "thresholds")
            connection.retain(topic, thresholds.encode(message))
            self._said.append((message.site, message.device, now))
        self._next_at = self.clock() + PERIOD_SECONDS

    def _confirm(self, connection: Retaining) -> None:
        """Write down what the server has."""
        if not self._said or connection.owes:
            return
        with writing(self.engine) as database:
            for site, device, moment in self._said:
                raised_thresholds.mark_sent(database, site, device, changed_until=moment, at=self.now())
        self._said.clear()
