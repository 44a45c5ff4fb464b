"""Receives messages from the MQTT server, and acknowledges them once they are on the disk."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from broker.config.broker import Mqtt
from broker.config.errors import Locked
from broker.ingest.batch import Acknowledgement
from broker.ingest.decoder import Message
from broker.ingest.listening import Listening
from broker.ingest.mqtt import Connection, ConnectionLost, Refused, Subscribed
from broker.ingest.offer_publisher import OfferPublisher
from broker.ingest.threshold_publisher import ThresholdPublisher
from contract import ack, topics

log = logging.getLogger(__name__)

IN_FLIGHT: Final = 2000
"""Messages that the server may send before the first of them is acknowledged: a few batches, so that the next is here
when one is committed."""

FIRST_RECONNECT_SECONDS: Final = 1.0
LONGEST_RECONNECT_SECONDS: Final = 30.0

RECEIVE_SECONDS: Final = 0.2
"""A step waits so long for a first message, so a stop is noticed within this time."""

GATHER_SECONDS: Final = 0.01
"""Where few messages have come, a step waits so long for more: a commit costs as much as a hundred captions."""

FEW: Final = 100

SETTLE_SECONDS: Final = 2.0
"""At the end, wait so long until the server has confirmed the last acknowledgements; what it has not comes again."""


@dataclass
class Consumer:
    """The MQTT side of the service: connects, subscribes, and hands batches of messages on."""

    settings: Mqtt
    password: str
    process: Callable[[Sequence[Message]], list[Acknowledgement]]
    """Stores a batch and returns the acknowledgements; raises `Locked` where it stored nothing."""
    publisher: ThresholdPublisher
    """Publishes raised thresholds on the same connection."""
    offers: OfferPublisher
    """Publishes which model each device should run, on the same connection."""
    subscribed_at: datetime | None = field(default=None, init=False)
    """Since when the MQTT server has had our subscription; None while it has not."""
    refusal: str = field(default="", init=False)
    """Why the MQTT server refuses us; "" while it does not."""
    _listening: Listening = field(default_factory=Listening, init=False)
    _connection: Connection | None = field(default=None, init=False)
    _pending: list[Message] = field(default_factory=list, init=False)
    """Messages that were received and not stored yet."""
    _received: int = field(default=0, init=False)
    """Messages of the latest batch."""
    _reconnect_seconds: float = field(default=FIRST_RECONNECT_SECONDS, init=False)

    @property
    def backlog(self) -> int:
        """How many messages came at once where a whole batch was there, so that more may wait; else 0."""
        return self._received if self._received >= self.settings.batch else 0

    @property
    def listening_since(self) -> datetime | None:
        """Since when the messages of every device arrive and are stored; None while they are not, or pile up."""
        return None if self.backlog else self._listening.since

    def step(self) -> bool:
        """Connect, or receive, store and acknowledge a batch; False where the server cannot be reached.

        Raises `Locked`, and the next step tries the same batch again. A refusal is never final: an operator may be
        changing the server's logins or its access list.
        """
        if self._connection is None:
            self._connection = self._connect()
            return self._connection is not None
        try:
            self._connection.tend()
            self._receive(self._connection)
            self._publish(self._connection)
        except ConnectionLost as error:
            log.warning("disconnected; trying again", extra=self._where() | {"reason": str(error)})
            self._disconnect()
            return False
        return True

    def idle_seconds(self) -> float:
        """How long to wait until the next try to connect."""
        seconds = self._reconnect_seconds
        self._reconnect_seconds = min(2 * seconds, LONGEST_RECONNECT_SECONDS)
        return seconds

    def finish(self) -> None:
        """Store and acknowledge what was received, and disconnect.

        Raises `Locked`; nothing is acknowledged then, and the server keeps the messages for the next start.
        """
        if self._connection is None:
            return
        try:
            self._pending += self._batch(self._connection, wait_seconds=0)
            self._store(self._connection)
            self._settle(self._connection)
        except ConnectionLost as error:
            log.info("disconnected at the end", extra=self._where() | {"reason": str(error)})
        finally:
            self._disconnect()

    def _connect(self) -> Connection | None:
        """Connect and subscribe, or log why not and return None."""
        try:
            connection = Connection(self.settings, self.password, in_flight=IN_FLIGHT)
        except ConnectionLost as error:
            log.warning("MQTT server cannot be reached; trying again", extra=self._where() | {"reason": str(error)})
            return None
        except Refused as error:
            who = self.settings.username or "an anonymous client"
            self._refused(f"refuses the login of {who!r}: {error}", "set mqtt.username and mqtt.password_file")
            return None
        log.info("connected", extra=self._where() | {"session_kept": connection.session_kept})
        share = f"$share/{self.settings.share}/" if self.settings.share else ""
        # Every instance gets each status: retained messages are not sent to shared subscriptions (MQTT 5, 3.8.4).
        try:
            connection.subscribe([share + topics.filter_of("caption"), topics.filter_of("status")])
        except ConnectionLost as error:
            log.warning("disconnected; trying again", extra=self._where() | {"reason": str(error)})
            connection.close()
            return None
        return connection

    def _disconnect(self) -> None:
        """Close the connection. What was not acknowledged comes again on the next one."""
        self.subscribed_at = None
        self._listening.disconnect()
        self._pending.clear()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _receive(self, connection: Connection) -> None:
        if not self._pending:
            self._pending = self._batch(connection, wait_seconds=RECEIVE_SECONDS)
        self._store(connection)

    def _publish(self, connection: Connection) -> None:
        """Publish thresholds and offers; while the database is locked, captions go first."""
        if self.subscribed_at is None:
            return
        try:
            self.publisher.work(connection)
            self.offers.work(connection)
        except Locked as error:
            log.warning("cannot publish thresholds and offers; trying again", extra={"reason": str(error)})

    def _batch(self, connection: Connection, *, wait_seconds: float) -> list[Message]:
        """Wait for a first message and take along what has come meanwhile: few when little comes, many in a flood."""
        batch: list[Message] = []
        came = connection.receive(wait_seconds=wait_seconds)
        if 0 < len(came) < FEW and wait_seconds:
            time.sleep(GATHER_SECONDS)
        while came:
            for item in came:
                if isinstance(item, Message):
                    batch.append(item)
                else:
                    self._note(item)
            came = connection.receive(wait_seconds=0) if len(batch) < self.settings.batch else []
        self._received = len(batch)
        return batch

    def _note(self, subscribed: Subscribed) -> None:
        if not subscribed.refused:
            self.subscribed_at = datetime.now(UTC)
            self._listening.subscribe(self.subscribed_at)
            self.refusal = ""
            self._reconnect_seconds = FIRST_RECONNECT_SECONDS
            log.info("subscribed", extra=self._where())
            return
        problem = f"does not let us read {topics.ROOT}/+/+/caption and status: {subscribed.refused}"
        self._refused(problem, "change its access list")
        raise ConnectionLost(problem)

    def _refused(self, problem: str, advice: str) -> None:
        self.refusal = f"the MQTT server {problem}; {advice}"
        log.error("refused by the MQTT server", extra=self._where() | {"reason": self.refusal})

    def _store(self, connection: Connection) -> None:
        """Store what is pending, and only then acknowledge it; raises `Locked` or `ConnectionLost`."""
        while self._pending:
            some = self._pending[: self.settings.batch]
            try:
                acknowledgements = self.process(some)
            except Locked as error:
                self._listening.stall()
                log.warning("cannot store; trying again", extra={"messages": len(some), "reason": str(error)})
                raise
            self._listening.store(datetime.now(UTC))
            said = [(_topic(one.site, one.device), ack.encode(one.ack)) for one in acknowledgements]
            connection.answer(said, [one.packet_id for one in some if one.packet_id is not None])
            del self._pending[: len(some)]

    def _settle(self, connection: Connection) -> None:
        """Wait a little until the server has confirmed everything; what it sends meanwhile stays with it."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while connection.owes and (left := deadline - time.monotonic()) > 0:
            connection.receive(wait_seconds=left)

    def _where(self) -> dict[str, object]:
        return {"host": self.settings.host, "port": self.settings.tcp_port, "client_id": self.settings.client_id}


@lru_cache(maxsize=1 << 14)
def _topic(site: str, device: str) -> str:
    return topics.topic(site, device, "ack")
