"""Home Assistant: describes the device to it, sends it dangers as events, and takes its arm switch."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from contract.caption import Caption
from contract.status import Status
from edge import config
from edge.send.integration import entities, ongoing
from edge.send.integration.ongoing import Begun
from edge.send.integration.port import Message

log = logging.getLogger(__name__)

ONLINE: Final = b"online"
"""What Home Assistant says on its own status topic when it has started, and wants the descriptions again."""

_COMMANDS: Final = {entities.ARM: True, entities.DISARM: False}


class HomeAssistant:
    """One Home Assistant on the same server."""

    def __init__(  # noqa: PLR0913  # settings, identity, and the memory that outlives the process
        self,
        settings: config.HomeAssistant,
        *,
        site: str,
        device: str,
        version: str,
        memory: ongoing.Memory,
        keep: Callable[[ongoing.Memory], object],
        arm: Callable[[bool], object],
    ) -> None:
        """`keep` stores for the next process which dangers were sent, `arm` whether people want the device to watch."""
        self._settings = settings
        self._site, self._device, self._version = site, device, version
        self._event_topic = entities.event_topic(settings, site, device)
        self._state_topic = entities.state_topic(settings, site, device)
        self._state: Message | None = None
        self._arm_topic = entities.arm_topic(settings, site, device)
        self._status_topic = entities.status_topic(settings)
        self._memory, self._keep = memory, keep
        self._arm = arm

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Return Home Assistant's own status and, where it may arm the device, the switch."""
        return (self._status_topic, self._arm_topic) if self._settings.arming else (self._status_topic,)

    def on_connect(self) -> Iterator[Message]:
        """Describe the device, and say its state again: the last connection may have lost it."""
        topic = entities.topic(self._settings, self._site, self._device)
        said = entities.describe(self._settings, site=self._site, device=self._device, version=self._version)
        yield Message(topic, said, retain=True)
        if self._state is not None:
            yield self._state

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> Iterable[Message]:
        """Describe the device again when Home Assistant has started; take the switch, never from a retained message."""
        if topic == self._status_topic:
            return self.on_connect() if payload == ONLINE else ()
        if topic == self._arm_topic and self._settings.arming:
            self._take_command(payload.decode("utf-8", "replace"), retained=retained)
        return ()

    def on_caption(self, event: Caption) -> Iterator[Message]:
        """Return the state after the newest caption, and an event for each danger that begins."""
        memory, changes = ongoing.take(self._memory, event)
        if memory is self._memory:
            return
        self._memory = memory
        self._state = Message(self._state_topic, _state(memory, event), retain=True)
        yield self._state
        for change in changes:
            if isinstance(change, Begun) and change.hazard.term in self._settings.dangers:
                yield Message(self._event_topic, _event(change, event))
        if changes:
            self._keep(self._memory)

    def on_status(self, said: Status) -> Iterable[Message]:  # noqa: ARG002  # the entities read it themselves
        """Return nothing."""
        return ()

    def _take_command(self, command: str, *, retained: bool) -> None:
        wanted = None if retained else _COMMANDS.get(command)
        if wanted is None:
            reason = "it was retained" if retained else "neither ON nor OFF"
            log.warning("arm command ignored", extra={"reason": reason})
            return
        log.warning("armed" if wanted else "disarmed", extra={"by": self._arm_topic})
        self._arm(wanted)


def _state(memory: ongoing.Memory, newest: Caption) -> bytes:
    """Write the newest caption, and the dangers that go on at any camera."""
    terms = sorted({term for seen in memory.values() for term in seen.terms})
    return msgspec.json.encode({"dangers": terms, "caption": newest})


def _event(begun: Begun, event: Caption) -> bytes:
    """Write a danger as Home Assistant's `event` wants it: `event_type`, and attributes."""
    return msgspec.json.encode(
        {
            "event_type": begun.hazard.term,
            "stream": begun.stream,
            "since": begun.at,
            "captured_at": event.captured_at,
            "probability": begun.hazard.probability,
            "sentence": event.text,
            "caption_id": event.id,
        }
    )
