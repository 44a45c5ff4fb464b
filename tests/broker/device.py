"""A device as the server sees it: publishes captions and statuses, and remembers what was acknowledged."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import msgspec
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from broker.config.broker import Recipient
from broker.ingest.decoder import Message
from contract import ack, caption, topics
from contract.caption import Caption, Hazard
from contract.status import State, Status
from contract.status import encode as encode_status
from testing.mosquitto import Mosquitto
from testing.waiting import PATIENCE_SECONDS, wait_until

NOON = datetime(2026, 3, 14, 3, 0, tzinfo=UTC)
"""12:00 in Seoul."""


GUARD = Recipient(name="guard", phone="+12025550143")


def event(text: str = "a man walks", **changes: Any) -> Caption:
    """Return a caption event of device pi-01 at north-gate."""
    seq = changes.pop("seq", 0)
    facts: dict[str, Any] = {
        "text": text,
        "site": "north-gate",
        "device": "pi-01",
        "stream": "cam-0",
        "captured_at": NOON + timedelta(seconds=seq),
        "time": NOON + timedelta(seconds=seq),
        "confidence": 0.8,
        "model": "wordcam-1@1.0.0",
        "seq": seq,
        "id": f"event-{seq:08d}",
    } | changes
    if "hazards" in facts:
        facts["hazards"] = tuple(Hazard(term, share) for term, share in facts["hazards"].items())
    facts.setdefault("source", caption.source(facts["site"], facts["device"], facts["stream"]))
    return Caption(**facts)


def status(**changes: Any) -> Status:
    """Return an online status of device pi-01 at north-gate."""
    facts: dict[str, Any] = {"state": State.ONLINE, "site": "north-gate", "device": "pi-01", "since": NOON, "at": NOON}
    return Status(**(facts | changes))


def said(event: Caption) -> Message:
    """Return a caption as it comes from the MQTT server."""
    return Message(topics.topic(event.site, event.device, "caption"), caption.encode(event))


def stated(status_: Status) -> Message:
    """Return a status as it comes from the MQTT server."""
    return Message(topics.topic(status_.site, status_.device, "status"), encode_status(status_))


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


class FakeDevice:
    """A connected publisher. `stored` and `refused` fill as acknowledgements come."""

    def __init__(self, server: Mosquitto, *, site: str = "north-gate", device: str = "pi-01", **login: str) -> None:
        self.site, self.device = site, device
        self.stored: list[str] = []
        self.refused: dict[str, str] = {}
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if login:
            self._client.username_pw_set(login["username"], login["password"])
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect(server.host, server.port)
        self._client.subscribe(topics.topic(site, device, "ack"), qos=1)
        self._client.loop_start()

    def __enter__(self) -> Self:
        assert self._subscribed.wait(PATIENCE_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, *events: Caption) -> None:
        """Publish captions of today at QoS 1 and wait until the MQTT server has them: a running service has no noon."""
        for one in events:
            since = datetime.now(UTC) - NOON
            today = msgspec.structs.replace(one, captured_at=one.captured_at + since, time=one.time + since)
            self.shout(topics.topic(self.site, self.device, "caption"), caption.encode(today))

    def shout(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish any bytes on any topic at QoS 1."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE_SECONDS)

    def wait_stored(self, *events: Caption) -> None:
        """Wait until the acknowledgements of these have come."""
        ids = {one.id for one in events}
        wait_until(lambda: ids <= set(self.stored), f"acknowledgement of {len(ids)} captions")

    def _on_message(self, _client: Client, _userdata: Any, message: Any) -> None:
        said = ack.decode(message.payload)
        self.stored.extend(said.stored)
        self.refused.update({refusal.id: refusal.reason for refusal in said.refused})
