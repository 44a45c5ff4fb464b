"""Takes messages from the MQTT server and acknowledges them once they are on the disk."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from broker.config.broker import MQTT_PASSWORD, Mqtt
from broker.config.errors import Failure, Locked, Misconfigured
from broker.ingest.batch import Answer
from broker.ingest.decoder import Message
from broker.ingest.mqtt import Connection, ConnectionLost, Refused, Subscribed
from broker.ingest.threshold_publisher import ThresholdPublisher
from contract import ack, topics
from foundation import secret

log = logging.getLogger(__name__)

IN_FLIGHT: Final = 2000
"""Messages that the server may send before the first of them is acknowledged: a few batches, so that the next is here
when one is committed."""

FIRST_RECONNECT_SECONDS: Final = 1.0
LONGEST_RECONNECT_SECONDS: Final = 30.0

IDLE_SECONDS: Final = 0.2
"""A stop is noticed so soon."""

GATHER_SECONDS: Final = 0.01
"""Where few messages have come, others are waited for so long: a commit costs as much as a hundred captions."""

FEW: Final = 100

LOCKED_PAUSE_SECONDS: Final = 0.5
"""Wait before a batch that met a locked database is tried again; the database itself has waited before."""

SETTLE_SECONDS: Final = 2.0
"""At the end, wait so long for the server to take the last answers; what is left over comes again and is known."""

REFUSED_LOGINS: Final = frozenset({"Bad user name or password", "Not authorized", "Banned"})
"""Reason codes (MQTT 5, section 3.2.2.2) that only an operator can mend."""


@dataclass
class Consumer:
    """The MQTT side of the service. `accept` stores a batch and gives the answers; it raises `Locked`."""

    settings: Mqtt
    accept: Callable[[Sequence[Message]], list[Answer]]
    publisher: ThresholdPublisher | None = None
    """Publishes beside that, on the same connection."""
    failure: Failure | None = None
    """Why it gave up, where only an operator can help."""
    subscribed_at: datetime | None = None
    """Since when the MQTT server has had our subscription; None while it has not."""
    on_failure: Callable[[], None] = lambda: None
    beat: Callable[[], None] = lambda: None
    """Called again and again while it turns."""
    _taken: int = 0
    """Messages of the latest batch."""
    _ever_connected: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Receive, store and acknowledge until `stop`; what was received by then is still stored.

        Raises `Misconfigured` where the TLS files or the password file cannot be used.
        """
        password = secret.read(self.settings.password_file, MQTT_PASSWORD, field="mqtt.password_file")
        wait = FIRST_RECONNECT_SECONDS
        while not self._stop.is_set():
            self.beat()
            connection = self._connect(password)
            if connection is not None:
                wait = FIRST_RECONNECT_SECONDS
                self._serve(connection)
            self._stop.wait(wait)
            wait = min(2 * wait, LONGEST_RECONNECT_SECONDS)

    @property
    def backlog(self) -> int:
        """How many messages were taken in at once where a whole batch was there, so that more may wait; else 0."""
        return self._taken if self._taken >= self.settings.batch else 0

    def stop(self) -> None:
        """Ask `run` to come to its end."""
        self._stop.set()

    def _connect(self, password: str) -> Connection | None:
        """Connect, or say why not and give None."""
        try:
            connection = Connection(self.settings, password, in_flight=IN_FLIGHT)
        except ConnectionLost as error:
            log.warning("MQTT server cannot be reached; trying again", extra=self._where() | {"reason": str(error)})
            return None
        except Refused as error:
            who = self.settings.username or "an anonymous client"
            self._refused(f"refuses the login of {who!r}: {error}", error.reason, final=not self._ever_connected)
            return None
        self._ever_connected = True
        log.info("connected", extra=self._where() | {"session_kept": connection.session_kept})
        return connection

    def _serve(self, connection: Connection) -> None:
        """Take in what comes until the connection is lost or `stop`.

        What is lost with a connection comes again on the next: it was not acknowledged.
        """
        try:
            share = f"$share/{self.settings.share}/" if self.settings.share else ""
            # The status goes to every instance: a retained message is not given to a shared subscription
            # (MQTT 5, 3.8.4).
            connection.subscribe([share + topics.filter_of("caption"), topics.filter_of("status")])
            while not self._stop.is_set():
                self.beat()
                self._take_in(connection, self._batch(connection, wait_seconds=IDLE_SECONDS))
                self._publish(connection)
            self._take_in(connection, self._batch(connection, wait_seconds=0))
            self._settle(connection)
        except ConnectionLost as error:
            if not self._stop.is_set():
                log.warning("disconnected; trying again", extra=self._where() | {"reason": str(error)})
        finally:
            self.subscribed_at = None
            connection.close()

    def _publish(self, connection: Connection) -> None:
        """Publish what devices have to hear; while the database is locked, captions go first."""
        if self.publisher is None or self.subscribed_at is None:
            return
        try:
            self.publisher.work(connection)
        except Locked as error:
            log.warning("cannot publish thresholds; trying again", extra={"error": str(error)})

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
        self._taken = len(batch)
        return batch

    def _note(self, subscribed: Subscribed) -> None:
        if not subscribed.refused:
            self.subscribed_at = datetime.now(UTC)
            log.info("subscribed", extra=self._where())
            return
        problem = f"does not let us read {topics.ROOT}/+/+/caption and status: {subscribed.refused}"
        self._refused(problem, subscribed.refused, final=True)

    def _refused(self, problem: str, reason: str, *, final: bool) -> None:
        """Give up where it is `final`: later on, an operator may be in the middle of changing the server's logins."""
        where = f"{self.settings.host}:{self.settings.port}"
        line = f"the MQTT server at {where} {problem}; set mqtt.username and mqtt.password_file, or its ACL"
        log.error("refused by the MQTT server", extra=self._where() | {"reason": reason})
        if reason in REFUSED_LOGINS and self.failure is None and final:
            self.failure = Misconfigured(line)
            self.on_failure()

    def _take_in(self, connection: Connection, batch: Sequence[Message]) -> None:
        """Store a batch, trying as long as the database is locked, and only then answer and acknowledge."""
        for start in range(0, len(batch), self.settings.batch):
            some = batch[start : start + self.settings.batch]
            answers = self._store(connection, some)
            if answers is None:
                return  # Nothing was acknowledged: the server keeps them for the next start.
            said = [(_topic(answer.site, answer.device), ack.encode(answer.ack)) for answer in answers]
            connection.answer(said, [one.packet_id for one in some if one.packet_id is not None])

    def _store(self, connection: Connection, messages: Sequence[Message]) -> list[Answer] | None:
        """Give the answers, or None where the database was locked until `stop`."""
        while True:
            self.beat()
            try:
                return self.accept(messages)
            except Locked as error:
                log.warning("cannot store; trying again", extra={"messages": len(messages), "error": str(error)})
                if self._stop.wait(LOCKED_PAUSE_SECONDS):
                    return None
                connection.tend()

    def _settle(self, connection: Connection) -> None:
        """Wait a little until the server has taken everything; what it sends meanwhile stays with it."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while connection.owes and (left := deadline - time.monotonic()) > 0:
            connection.receive(wait_seconds=left)

    def _where(self) -> dict[str, object]:
        return {"host": self.settings.host, "port": self.settings.port, "client_id": self.settings.client_id}


@lru_cache(maxsize=1 << 14)
def _topic(site: str, device: str) -> str:
    return topics.topic(site, device, "ack")
