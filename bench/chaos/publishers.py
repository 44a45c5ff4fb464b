"""Cameras by the hundred: they publish sentences, some of a danger, and repeat what no server has acknowledged."""

import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contract import ack, caption, topics
from contract.caption import Caption

AGAIN_SECONDS: Final = 2.0
"""Without an acknowledgement for so long, a caption is published again; a real device waits longer by default."""

DANGERS: Final = {
    "gun": "a man is holding a gun",
    "knife": "a woman is holding a knife",
    "fire": "a house is on fire",
    "smoke": "there is thick smoke",
}
"""Dangers, each with a sentence."""

DEVICE: Final = "pi-01"


@dataclass
class Crowd:
    """Publishes until it is left; every `danger_every`th sentence is of a danger, at a site of its own."""

    port: int
    per_second: float
    danger_every: int
    chance: random.Random
    said: dict[str, Caption] = field(default_factory=dict)
    """Every caption, by its id."""
    dangers: list[Caption] = field(default_factory=list)
    repeats: int = 0
    _waiting: dict[str, float] = field(default_factory=dict)
    """Ids that no server has acknowledged, with the time of their last publication."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _quiet: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", self.port)
        self._client.subscribe(topics.filter_of("ack"), qos=1)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def hush(self) -> None:
        """Say nothing new from now on; what is not acknowledged is still repeated."""
        self._quiet.set()

    @property
    def waiting(self) -> int:
        """Captions that no server has acknowledged."""
        with self._lock:
            return len(self._waiting)

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            if not self._quiet.is_set():
                self._say(number)
                number += 1
            self._repeat()
            self._stop.wait(self.chance.expovariate(self.per_second))

    def _say(self, number: int) -> None:
        danger = number % self.danger_every == self.danger_every - 1
        place = f"site-{len(self.dangers):05d}" if danger else "quiet"
        sentences = list(DANGERS.values())
        now = datetime.now(UTC)
        event = Caption(
            text=sentences[len(self.dangers) % len(sentences)] if danger else "a man walks",
            captured_at=now,
            site=place,
            device=DEVICE,
            stream="cam-0",
            confidence=0.8,
            model="bench@1.0.0",
            seq=number,
            id=f"event-{number:08d}",
            source=caption.source(place, DEVICE, "cam-0"),
            time=now,
        )
        self.said[event.id] = event
        if danger:
            self.dangers.append(event)
        self._publish(event)

    def _repeat(self) -> None:
        late = time.monotonic() - AGAIN_SECONDS
        with self._lock:
            again = [event_id for event_id, at in self._waiting.items() if at < late]
        for event_id in again:
            self.repeats += 1
            self._publish(self.said[event_id])

    def _publish(self, event: Caption) -> None:
        with self._lock:
            self._waiting[event.id] = time.monotonic()
        self._client.publish(topics.topic(event.site, event.device, "caption"), caption.encode(event), qos=1)

    def _on_message(self, _client: Client, _userdata: Any, message: Any) -> None:
        with self._lock:
            for event_id in ack.decode(message.payload).stored:
                self._waiting.pop(event_id, None)
