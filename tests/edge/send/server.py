"""A stand-in for the alert service: takes captions from a real MQTT server and acknowledges them as told."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from contract import ack, caption, status, topics
from contract.ack import Ack, Refusal
from contract.caption import Caption
from contract.status import Status
from testing.mosquitto import Mosquitto
from testing.waiting import PATIENCE_SECONDS


class Service:
    """Collects what the device says, and acknowledges what `answer` gives for each caption."""

    def __init__(
        self, server: Mosquitto, answer: Callable[[Caption], Ack | None] = lambda event: Ack(stored=(event.id,))
    ) -> None:
        self.captions: list[Caption] = []
        self.statuses: list[tuple[Status, bool]] = []
        self._answer = answer
        self._server = server
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        if server.users:
            self._client.username_pw_set(*next(iter(server.users.items())))
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._take

    def __enter__(self) -> Self:
        self._client.connect(self._server.host, self._server.port)
        self._client.loop_start()
        assert self._ready.wait(PATIENCE_SECONDS)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def texts(self) -> list[str]:
        """Sentences in the order they came, repeats included."""
        return [event.text for event in self.captions]

    def say(self, payload: bytes) -> None:
        """Publish anything on the device's acknowledgement topic."""
        self._client.publish(topics.topic("lab", "dev-1", "ack"), payload, qos=1).wait_for_publish(PATIENCE_SECONDS)

    def retain(self, topic: str, payload: bytes) -> None:
        """Publish anything that the server keeps for those who subscribe later."""
        self._client.publish(topic, payload, qos=1, retain=True).wait_for_publish(PATIENCE_SECONDS)

    def _subscribe(self, client: paho.Client, *_: Any) -> None:
        client.subscribe([(topics.filter_of("caption"), 1), (topics.filter_of("status"), 1)])

    def _take(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        address = topics.parse(message.topic)
        if address.channel == "status":
            said = status.decode(bytes(message.payload), site=address.site, device=address.device)
            self.statuses.append((said, message.retain))
            return
        event = caption.decode(bytes(message.payload), site=address.site, device=address.device)
        self.captions.append(event)
        answer = self._answer(event)
        if answer is not None:
            client.publish(topics.topic(address.site, address.device, "ack"), ack.encode(answer), qos=1)


@contextmanager
def served(server: Mosquitto, answer: Callable[[Caption], Ack | None] | None = None) -> Iterator[Service]:
    """Run a service while the block lasts."""
    with Service(server, answer) if answer else Service(server) as service:
        yield service


def refuse(event: Caption) -> Ack:
    """Turn every caption down."""
    return Ack(refused=(Refusal(event.id, "schema"),))
