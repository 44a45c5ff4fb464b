"""The one door to paho: a connection to an MQTT 5 server, as a queue of what happened to it.

paho runs the network in a thread of its own; its callbacks only put events into the queue. Each connection is a new
client, so that nothing paho keeps in memory outlives it: what must not be lost is in the outbox.
"""

import contextlib
import queue
import ssl
from dataclasses import dataclass
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from edge import config
from edge.errors import Misconfigured, TryAgain
from edge.send import tls_alert
from foundation import secret
from foundation.network_address import mqtt_port

CONNECT_SECONDS: Final = 10.0
"""Wait for the server's TCP, TLS and CONNACK."""

LAST_WORD_SECONDS: Final = 2.0
"""Wait for the server to have the last word of a device that stops."""

LOGIN_REFUSED: Final = frozenset({0x84, 0x85, 0x86, 0x87, 0x8C})
"""CONNACK reason codes (MQTT 5, table 3-1) that the server's files decide: unsupported protocol version, client id not
valid, bad user name or password, not authorized, bad authentication method."""

TAKEN_OVER: Final = 0x8E
"""DISCONNECT reason code (MQTT 5, table 3-13): another client has connected with this client's id."""


@dataclass(frozen=True, slots=True)
class Up:
    """The server has accepted us and our subscription."""


@dataclass(frozen=True, slots=True)
class Down:
    """The connection is over, or never came about."""

    why: str
    taken_over: bool = False
    """Whether another client with the same identity has ended it."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message on a subscribed topic."""

    payload: bytes
    topic: str
    retained: bool = False
    """Whether the server had kept it from before our subscription."""


@dataclass(frozen=True, slots=True)
class Turned:
    """The server turned a publication down."""

    why: str


@dataclass(frozen=True, slots=True)
class Unheard:
    """The server does not let us read a topic that we can do without."""

    topic: str
    why: str


Event = Up | Down | Received | Turned | Unheard


@dataclass(frozen=True, slots=True)
class Will:
    """What the server says about us when we are gone; retained."""

    topic: str
    payload: bytes


class Connection:
    """One connection, from the attempt to its end. Events are to be taken from `events` by one thread."""

    def __init__(  # noqa: PLR0913  # what a connection is made of
        self,
        settings: config.Mqtt,
        *,
        client_id: str,
        subscription: str,
        will: Will | None,
        window: int,
        optional: tuple[str, ...] = (),
    ) -> None:
        """Prepare; raises `Misconfigured` where a password or certificate cannot be read.

        `optional` are further topics, which the server may keep from us.
        """
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._settings = settings
        self._subscription, self._optional = subscription, optional
        self._optional_ids: dict[int | None, str] = {}
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        self._client.connect_timeout = CONNECT_SECONDS
        self._client.max_inflight_messages_set(window)
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos=1, retain=True)
        _authenticate(self._client, settings)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish
        self._client.on_log = self._on_log
        self._alert = ""
        self._was_answered = False

    def open(self) -> None:
        """Connect and let the network thread run; `Up` or `Down` follows. Raises `TryAgain` where no one listens."""
        settings = self._settings
        where = f"{settings.host}:{port_of(settings)}"
        try:
            self._client.connect(settings.host, port_of(settings), settings.keepalive_seconds, clean_start=True)
        except ssl.SSLError as error:
            if meant := tls_alert.meaning(str(error)):
                raise TryAgain(f"{where}: {meant}") from error
            why = getattr(error, "verify_message", "") or error.reason or str(error)
            raise TryAgain(f"{where}: TLS failed: {why}; see `mqtt.tls` and this device's clock") from error
        except (OSError, ValueError) as error:
            raise TryAgain(f"{where}: {getattr(error, 'strerror', None) or error}") from error
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message to the network thread at QoS 1; say whether the connection took it."""
        return self._client.publish(topic, payload, qos=1, retain=retain).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def close(self, last: Will | None = None) -> None:
        """Say a last word, where one is given and the connection stands, and end the connection."""
        if last is not None and self._client.is_connected():
            said = self._client.publish(last.topic, last.payload, qos=1, retain=True)
            with contextlib.suppress(RuntimeError, ValueError):  # the connection broke meanwhile: the will speaks
                said.wait_for_publish(LAST_WORD_SECONDS)
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        """Subscribe, on this and every connection; a refusal is over at once."""
        self._was_answered = True
        if reason.is_failure:
            see = ""
            if reason.value in LOGIN_REFUSED:
                see = (
                    "; see `mqtt.username`, `mqtt.password_file` and `mqtt.tls`, and the server's users and access list"
                )
            self.events.put(Down(f"the server refused the login: {reason}{see}"))
            return
        client.subscribe(self._subscription, qos=1)
        for topic in self._optional:
            self._optional_ids[client.subscribe(topic, qos=1)[1]] = topic

    def _on_subscribe(self, _client: Any, _data: Any, mid: int, reasons: list[ReasonCode], _properties: Any) -> None:
        if mid in self._optional_ids:
            if any(reason.is_failure for reason in reasons):
                topic = self._optional_ids[mid]
                self.events.put(Unheard(topic, f"the server does not let this user read {topic}: {reasons[0]}"))
        elif any(reason.is_failure for reason in reasons):
            refusal = f"the server does not let this user subscribe to {self._subscription}: {reasons[0]}"
            self.events.put(Down(f"{refusal}; see the server's access list"))
        else:
            self.events.put(Up())

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.value == TAKEN_OVER:
            self.events.put(Down("another client took over the session", True))
        else:
            self.events.put(Down(self._why_ended(reason)))

    def _on_log(self, _client: Any, _data: Any, level: int, text: str) -> None:
        """Keep the alert of TLS, of which paho says nothing else: a server that turns a certificate down sends one."""
        if level == paho.MQTT_LOG_ERR:
            self._alert = tls_alert.meaning(text) or self._alert

    def _why_ended(self, reason: ReasonCode) -> str:
        if self._alert:
            return self._alert
        if self._settings.tls is not None and not self._was_answered:
            return tls_alert.SILENT
        return f"the connection ended: {reason}"

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.events.put(Received(bytes(message.payload), message.topic, message.retain))

    def _on_publish(self, _client: Any, _data: Any, _mid: int, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self.events.put(Turned(str(reason)))


def port_of(settings: config.Mqtt) -> int:
    """Return the port: the one set, or else the registered one, 8883 with TLS and 1883 without."""
    return mqtt_port(settings.port, encrypted=settings.tls is not None)


def require_login(settings: config.Mqtt) -> None:
    """Raise `Misconfigured` where the server does not learn who this device is."""
    username = secret.read(None, "WORDCAM_MQTT_USERNAME", field="mqtt.username") or settings.username
    if not username and (settings.tls is None or settings.tls.cert_file is None):
        raise Misconfigured(
            "`mqtt.home_assistant.arming` needs a server that knows its users, so that not everyone can disarm: set "
            "`mqtt.username` and `mqtt.password_file`, or `mqtt.tls.cert_file`"
        )


def _authenticate(client: paho.Client, settings: config.Mqtt) -> None:
    """Set user name, password and TLS; raises `Misconfigured` naming the file."""
    username = secret.read(None, "WORDCAM_MQTT_USERNAME", field="mqtt.username") or settings.username
    password = secret.read(settings.password_file, "WORDCAM_MQTT_PASSWORD", field="mqtt.password_file")
    if username:
        client.username_pw_set(username, password)
    tls = settings.tls
    if tls is None:
        return
    try:
        context = ssl.create_default_context(cafile=str(tls.ca_file) if tls.ca_file else None)
        if tls.cert_file:
            context.load_cert_chain(str(tls.cert_file), str(tls.key_file) if tls.key_file else None)
    except (OSError, ssl.SSLError) as error:
        named = ", ".join(str(file) for file in (tls.ca_file, tls.cert_file, tls.key_file) if file)
        raise Misconfigured(f"`mqtt.tls`: {error.strerror or error}; see {named}") from error
    client.tls_set_context(context)
