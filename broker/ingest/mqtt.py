"""A connection to an MQTT 5 server, as packets in and packets out; the one module that imports mqtt5.

The library turns bytes into packets and back; the socket, TLS and the keep-alive are here. There is no thread and no
callback: the owner of the connection asks for what has arrived.
"""

import itertools
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import mqtt5

from broker.config.broker import Mqtt, Tls
from broker.config.errors import Misconfigured
from broker.ingest.decoder import Message

CONNECT_SECONDS: Final = 10.0
"""Wait for the server's TCP, TLS and CONNACK."""

SEND_SECONDS: Final = 30.0
"""A server that reads nothing for so long is gone."""

READ_BYTES: Final = 1 << 18
"""Read at once at most: some four hundred captions."""

QOS_1: Final = mqtt5.QoS.AT_LEAST_ONCE


class ConnectionLost(Exception):
    """The connection broke, or could not be opened; the message is the reason."""


class Refused(Exception):
    """The server refuses the connection; `reason` is its reason code in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The server has answered the subscription."""

    refused: str
    """Its reason code in words, where it does not let us read; else ""."""


class Connection:
    """One connection, from CONNECT to its end. It is used by one thread."""

    def __init__(self, settings: Mqtt, password: str, *, in_flight: int) -> None:
        """Connect, asking for at most `in_flight` unacknowledged messages.

        Raises `ConnectionLost`, `Refused`, or `Misconfigured` where the TLS files cannot be used.
        """
        self._keepalive = float(settings.keepalive_seconds)
        self._rest = b""
        self._ids = itertools.cycle(range(1, 1 << 16))
        self._unconfirmed: set[int] = set()
        self._window = 0
        self._waiting: deque[bytes | _Answer] = deque()
        self._heard_at = self._said_at = time.monotonic()
        self._asked_at: float | None = None
        self._socket = _open(settings)
        try:
            self._poll = select.poll()
            self._poll.register(self._socket, select.POLLIN)
            self._send(_connect(settings, password, in_flight).write())
            self._greet()
        except BaseException:
            self._socket.close()
            raise

    def subscribe(self, filters: Sequence[str]) -> None:
        """Ask for messages at QoS 1; `Subscribed` follows. Raises `ConnectionLost`."""
        wanted = [mqtt5.TopicFilter(pattern, max_qos=QOS_1) for pattern in filters]
        self._send(mqtt5.SubscribePacket(next(self._ids), wanted).write())

    def receive(self, *, wait_seconds: float) -> list[Message | Subscribed]:
        """Return what has come, waiting for the first of it; raises `ConnectionLost`."""
        found: list[Message | Subscribed] = []
        for packet in self._read(wait_seconds):
            if isinstance(packet, mqtt5.PublishPacket):
                found.append(Message(packet.topic, packet.payload, packet.packet_id))
            elif isinstance(packet, mqtt5.PubAckPacket):
                self._unconfirmed.discard(packet.packet_id)
            elif isinstance(packet, mqtt5.SubAckPacket):
                refused = next((code for code in packet.reason_codes if code.value >= 0x80), None)
                found.append(Subscribed("" if refused is None else _spelt(refused.name)))
            elif isinstance(packet, mqtt5.DisconnectPacket):
                raise ConnectionLost(f"the server ended it: {_spelt(packet.reason_code.name)}")
        self._flush()
        self.tend()
        return found

    def answer(self, answers: Sequence[tuple[str, bytes]], acknowledged: Sequence[int]) -> None:
        """Publish answers at QoS 1, then acknowledge messages by their packet ids.

        The server takes both in this order from one stream, so it never lets go of a message whose sender has not been
        answered. Raises `ConnectionLost`.
        """
        self._waiting += (_Answer(topic, payload) for topic, payload in answers)
        if acknowledged:
            self._waiting.append(b"".join(mqtt5.PubAckPacket(number).write() for number in acknowledged))
        self._flush()

    def retain(self, topic: str, payload: bytes) -> None:
        """Publish a message at QoS 1 that the server keeps for those who subscribe later; raises `Lost`."""
        self._waiting.append(_Answer(topic, payload, retain=True))
        self._flush()

    @property
    def owes(self) -> bool:
        """Whether something is still to be sent, or to be confirmed by the server."""
        return bool(self._waiting or self._unconfirmed)

    def tend(self) -> None:
        """Send a ping where nothing else is sent; raises `ConnectionLost` where the server is silent."""
        now = time.monotonic()
        if self._asked_at is not None:
            if self._heard_at >= self._asked_at:
                self._asked_at = None
            elif now - self._asked_at > self._keepalive:
                raise ConnectionLost(f"the server sent nothing for {now - self._heard_at:.0f} s")
        # Half of it: the server gives up after one and a half (MQTT 5, section 3.1.2.10).
        if self._asked_at is None and now - self._said_at > self._keepalive / 2:
            self._asked_at = now
            self._send(mqtt5.PingReqPacket().write())

    def close(self) -> None:
        """Send DISCONNECT if the connection still works, and close the socket."""
        try:
            self._send(mqtt5.DisconnectPacket().write())
        except ConnectionLost:
            pass
        finally:
            self._socket.close()

    def _greet(self) -> None:
        """Wait for CONNACK; raises `Refused` or `ConnectionLost`."""
        deadline = time.monotonic() + CONNECT_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            # What follows CONNACK in the same bytes stays for `receive`.
            packet = next(self._read(left), None)
            if isinstance(packet, mqtt5.ConnAckPacket):
                if packet.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
                    raise Refused(_spelt(packet.reason_code.name))
                self.session_kept = packet.session_present
                self._window = packet.receive_max
                self._keepalive = float(packet.server_keep_alive or self._keepalive)
                return
        raise ConnectionLost(f"no CONNACK within {CONNECT_SECONDS:g} s")

    def _read(self, wait_seconds: float) -> Iterator[mqtt5.Packet]:
        """Return the packets that have come; what the caller does not take stays."""
        data = self._rest + self._receive(0 if self._rest else wait_seconds)
        view = memoryview(data)
        at = 0
        try:
            while at < len(data):
                packet, size = mqtt5.read(view[at:])
                at += size
                yield packet
        except IndexError:  # the rest of it is still on its way
            pass
        except ValueError as error:
            raise ConnectionLost(f"what came is not MQTT 5: {error}") from error
        finally:
            self._rest = data[at:]

    def _receive(self, wait_seconds: float) -> bytes:
        pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()
        if not pending and not self._poll.poll(1000 * wait_seconds):
            return b""
        try:
            data = self._socket.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):  # a TLS record without application data
            return b""
        except OSError as error:
            raise ConnectionLost(_why(error)) from error
        if not data:
            raise ConnectionLost("the server closed it")
        self._heard_at = time.monotonic()
        return data

    def _flush(self) -> None:
        """Send what waits, as far as the server's window lets."""
        ready: list[bytes] = []
        while self._waiting:
            first = self._waiting[0]
            if isinstance(first, _Answer):
                if len(self._unconfirmed) >= self._window:
                    break
                first = first.packet(self._own_id())
            ready.append(first)
            self._waiting.popleft()
        if ready:
            self._send(b"".join(ready))

    def _own_id(self) -> int:
        number = next(number for number in self._ids if number not in self._unconfirmed)
        self._unconfirmed.add(number)
        return number

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        deadline = time.monotonic() + SEND_SECONDS
        while view:
            try:
                view = view[self._socket.send(view) :]
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError) as error:
                if time.monotonic() > deadline:
                    raise ConnectionLost(f"the server reads nothing for {SEND_SECONDS:g} s") from error
                select.select([], [self._socket], [], 0.1)
            except OSError as error:
                raise ConnectionLost(_why(error)) from error
        self._said_at = time.monotonic()


@dataclass(frozen=True, slots=True)
class _Answer:
    """A publication that has no packet id yet."""

    topic: str
    payload: bytes
    retain: bool = False

    def packet(self, packet_id: int) -> bytes:
        packet = mqtt5.PublishPacket(self.topic, self.payload, qos=QOS_1, retain=self.retain, packet_id=packet_id)
        return packet.write()


def _connect(settings: Mqtt, password: str, in_flight: int) -> mqtt5.ConnectPacket:
    # What a shared subscription has dealt to a session waits there, even while that instance is dead. So it ends with
    # the connection: the device asks again, and another instance is dealt the caption.
    hours = 0 if settings.share else settings.session_expiry_hours
    return mqtt5.ConnectPacket(
        settings.client_id,
        username=settings.username or None,
        password=password.encode() if settings.username and password else None,
        clean_start=bool(settings.share),
        keep_alive=settings.keepalive_seconds,
        session_expiry_interval=int(hours * 3600),
        receive_max=in_flight,
    )


def _open(settings: Mqtt) -> socket.socket:
    context = None if settings.tls is None else _context(settings.tls)
    try:
        plain = socket.create_connection((settings.host, settings.tcp_port), timeout=CONNECT_SECONDS)
    except OSError as error:
        raise ConnectionLost(_why(error)) from error
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened = plain if context is None else context.wrap_socket(plain, server_hostname=settings.host)
        opened.setblocking(False)
    except (OSError, ValueError) as error:
        plain.close()
        raise ConnectionLost(_why(error)) from error
    return opened


def _context(tls: Tls) -> ssl.SSLContext:
    ca_file, cert_file, key_file = (str(file) if file else None for file in (tls.ca_file, tls.cert_file, tls.key_file))
    try:
        context = ssl.create_default_context(cafile=ca_file)
        if cert_file is not None:
            context.load_cert_chain(cert_file, key_file)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise Misconfigured(f"mqtt.tls: {error}; give PEM files that this user can read") from error
    return context


def _why(error: Exception) -> str:
    verdict: str = getattr(error, "verify_message", "") or getattr(error, "strerror", None) or str(error)
    return verdict


def _spelt(name: str) -> str:
    """Return a reason code as the standard spells it: `Not authorized`."""
    return name.replace("_", " ").capitalize()
