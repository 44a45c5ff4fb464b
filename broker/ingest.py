"""Takes messages from the MQTT server and acknowledges them once they are on the disk."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from broker.config import MQTT_PASSWORD, Mqtt, Tls, secret
from broker.errors import BrokerError, Locked, Misconfigured
from broker.intake import Message
from broker.reception import Answer
from contract import ack, topics

log = logging.getLogger(__name__)

IN_FLIGHT: Final = 1000
"""Messages that the server may send before the first of them is acknowledged: a few batches."""

LONGEST_RECONNECT_SECONDS: Final = 30

LOCKED_PAUSE_SECONDS: Final = 0.5
"""Wait before a batch that met a locked database is tried again; the database itself has waited before."""

SETTLE_SECONDS: Final = 2.0
"""At the end, wait so long for the server to take the last answers; what is left over comes again and is known."""

MAX_UNASKED: Final = 5000
"""Messages at QoS 0 that wait to be stored; a flood of those may be dropped, as QoS 0 allows."""

REFUSED_LOGINS: Final = frozenset({"Bad user name or password", "Not authorized", "Banned"})
"""Reason codes (MQTT 5, section 3.2.2.2) that only an operator can mend."""


@dataclass(frozen=True, slots=True)
class _Delivery:
    """One message, with what is needed to acknowledge it."""

    message: Message
    mid: int
    qos: int
    connection: int
    """Number of the connection it came on: packet ids of an earlier connection mean other messages."""


@dataclass(frozen=True, slots=True)
class _Published:
    """The server has taken an answer of ours."""

    mid: int


@dataclass
class _Owed:
    """Stored messages that are acknowledged to the server once it has taken the answers to their devices.

    The other way round, an end between the two would leave a device without an answer until it asks again.
    """

    deliveries: Sequence[_Delivery]
    answers: set[int]
    """Packet ids of the answers that the server has not taken yet."""


@dataclass
class Ingest:
    """The MQTT side of the service. `accept` stores a batch and gives the answers; it raises `Locked`."""

    settings: Mqtt
    accept: Callable[[Sequence[Message]], list[Answer]]
    failure: BrokerError | None = None
    """Why it gave up, where only an operator can help."""
    on_failure: Callable[[], None] = lambda: None
    _queue: queue.SimpleQueue[_Delivery | _Published] = field(default_factory=queue.SimpleQueue)
    _owed: dict[int, _Owed] = field(default_factory=dict)
    """What is owed, under the packet id of each of its answers. Only the thread of `run` looks in here."""
    _connection: int = 0
    """Number of the present connection, 0 while there is none."""
    _connections: int = 0
    _ever_connected: bool = False
    _sending: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Receive, store and acknowledge until `stop`; what was received by then is still stored.

        Raises `Misconfigured` where the TLS files or the password file cannot be used.
        """
        client = self._client()
        settings = self.settings
        client.connect_async(
            settings.host,
            settings.port,
            settings.keepalive_seconds,
            clean_start=bool(settings.share),
            properties=self._session(),
        )
        client.loop_start()
        try:
            while not self._stop.is_set():
                self._take_in(client, self._batch(client, wait_seconds=0.2))
            for batch in iter(lambda: self._batch(client, wait_seconds=0), []):
                self._take_in(client, batch)
            self._settle_all(client)
        finally:
            client.disconnect()
            client.loop_stop()

    def stop(self) -> None:
        """Ask `run` to come to its end."""
        self._stop.set()

    def _client(self) -> Client:
        settings = self.settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        if settings.username:
            password = secret(settings.password_file, MQTT_PASSWORD, field="mqtt.password_file")
            client.username_pw_set(settings.username, password or None)
        if settings.tls is not None:
            _secure(client, settings.tls)
        client.reconnect_delay_set(1, LONGEST_RECONNECT_SECONDS)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = lambda _client, _userdata, mid, *_: self._queue.put(_Published(mid))
        return client

    def _session(self) -> Properties:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no hint there
        # What a shared subscription has dealt to a session waits there, even while that instance is dead. So it ends
        # with the connection: the device asks again, and another instance is dealt the caption.
        hours = 0 if self.settings.share else self.settings.session_expiry_hours
        properties.SessionExpiryInterval = int(hours * 3600)
        properties.ReceiveMaximum = IN_FLIGHT
        return properties

    def _on_connect(
        self, client: Client, _userdata: Any, flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._refused(f"refuses the login of {self.settings.username or 'an anonymous client'!r}: {reason}", reason)
            return
        with self._sending:
            self._connections += 1
            self._connection = self._connections
        self._ever_connected = True
        log.info("connected", extra=self._where() | {"session_kept": bool(flags.session_present)})
        options = SubscribeOptions(qos=1)
        share = f"$share/{self.settings.share}/" if self.settings.share else ""
        # The status goes to every instance: a retained message is not given to a shared subscription (MQTT 5, 3.8.4).
        client.subscribe([(share + topics.filter_of("caption"), options), (topics.filter_of("status"), options)])

    def _on_subscribe(
        self, _client: Client, _userdata: Any, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        denied = next((reason for reason in reasons if reason.is_failure), None)
        if denied is not None:
            self._refused(f"does not let us read {topics.ROOT}/+/+/caption and status: {denied}", denied)
        else:
            log.info("subscribed", extra=self._where())

    def _on_connect_fail(self, _client: Client, _userdata: Any) -> None:
        log.warning("MQTT server cannot be reached; trying again", extra=self._where())

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        with self._sending:
            self._connection = 0
        if not self._stop.is_set():
            log.warning("disconnected; trying again", extra=self._where() | {"reason": str(reason)})

    def _refused(self, problem: str, reason: ReasonCode) -> None:
        """Give up at the first connection; later on, an operator may be in the middle of changing the server."""
        where = f"{self.settings.host}:{self.settings.port}"
        line = f"the MQTT server at {where} {problem}; set mqtt.username and mqtt.password_file, or its ACL"
        log.error("refused by the MQTT server", extra=self._where() | {"reason": str(reason)})
        if str(reason) in REFUSED_LOGINS and self.failure is None and (not self._ever_connected or "read" in problem):
            self.failure = Misconfigured(line)
            self.on_failure()

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        if message.qos == 0 and self._queue.qsize() >= MAX_UNASKED:
            return
        received = Message(message.topic, bytes(message.payload))
        self._queue.put(_Delivery(received, message.mid, message.qos, self._connection))

    def _batch(self, client: Client, *, wait_seconds: float) -> list[_Delivery]:
        """Wait for a first message and take along what has come meanwhile, settling what was owed."""
        batch: list[_Delivery] = []
        try:
            first = self._queue.get(timeout=wait_seconds) if wait_seconds else self._queue.get_nowait()
            self._sort(client, first, batch)
            while len(batch) < self.settings.batch:
                self._sort(client, self._queue.get_nowait(), batch)
        except queue.Empty:
            pass
        return batch

    def _sort(self, client: Client, item: _Delivery | _Published, batch: list[_Delivery]) -> None:
        if isinstance(item, _Delivery):
            batch.append(item)
        else:
            self._settle(client, item.mid)

    def _take_in(self, client: Client, batch: list[_Delivery]) -> None:
        """Store a batch, trying as long as the database is locked, and only then answer and acknowledge."""
        if not batch:
            return
        messages = [delivery.message for delivery in batch]
        while True:
            try:
                answers = self.accept(messages)
                break
            except Locked as error:
                log.warning("cannot store; trying again", extra={"messages": len(batch), "error": str(error)})
                if self._stop.is_set():
                    return  # Nothing was acknowledged: the server keeps them for the next start.
                time.sleep(LOCKED_PAUSE_SECONDS)
        self._answer(client, batch, answers)

    def _answer(self, client: Client, batch: list[_Delivery], answers: list[Answer]) -> None:
        """Tell the devices; the server hears of it when it has their answers, or at once where there are none."""
        owed = _Owed(batch, set())
        with self._sending:
            if self._connection:
                for answer in answers:
                    topic = topics.topic(answer.site, answer.device, "ack")
                    owed.answers.add(client.publish(topic, ack.encode(answer.ack), qos=1).mid)
        for mid in owed.answers:
            self._owed[mid] = owed
        if not owed.answers:
            self._acknowledge(client, batch)

    def _settle(self, client: Client, mid: int) -> None:
        """Note that the server has taken an answer; with the last of a batch, acknowledge the batch."""
        owed = self._owed.pop(mid, None)
        if owed is None:
            return
        owed.answers.discard(mid)
        if not owed.answers:
            self._acknowledge(client, owed.deliveries)

    def _settle_all(self, client: Client) -> None:
        """Wait a little until nothing is owed any more."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while self._owed and self._connection and (left := deadline - time.monotonic()) > 0:
            try:
                item = self._queue.get(timeout=left)
            except queue.Empty:
                return
            if isinstance(item, _Published):
                self._settle(client, item.mid)

    def _acknowledge(self, client: Client, deliveries: Sequence[_Delivery]) -> None:
        with self._sending:
            for delivery in deliveries:
                if delivery.qos and delivery.connection == self._connection:
                    client.ack(delivery.mid, delivery.qos)

    def _where(self) -> dict[str, object]:
        return {"host": self.settings.host, "port": self.settings.port, "client_id": self.settings.client_id}


def _secure(client: Client, tls: Tls) -> None:
    ca_file, cert_file, key_file = (str(file) if file else None for file in (tls.ca_file, tls.cert_file, tls.key_file))
    try:
        client.tls_set(ca_file, cert_file, key_file)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise Misconfigured(f"mqtt.tls: {error}; give PEM files that this user can read") from error
