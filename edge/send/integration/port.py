"""What an integration is: messages beside the protocol's own, each derived from a caption or a status."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from contract.caption import Caption
from contract.status import Status


@dataclass(frozen=True, slots=True)
class Message:
    """A message to publish at QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


class Integration(Protocol):
    """One other system that reads this device's messages in its own form."""

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Return the topics that it wants to hear; the server may keep them from this device."""
        ...

    def on_connect(self) -> Iterable[Message]:
        """Return what to publish when the connection stands."""
        ...

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> Iterable[Message]:
        """Take a message on one of its topics; return what to publish."""
        ...

    def on_caption(self, event: Caption) -> Iterable[Message]:
        """Return what to publish with a caption, which may be published more than once."""
        ...

    def on_status(self, said: Status) -> Iterable[Message]:
        """Return what to publish with a status."""
        ...
