"""Chooses the sender for each recipient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from broker.ports import Sender, Unreachable


@dataclass(frozen=True, slots=True)
class SendersByRecipient:
    """Senders by the name of the recipient, or one for everybody."""

    senders: Mapping[str, Sender]
    otherwise: Sender | None = None

    @classmethod
    def alone(cls, sender: Sender) -> Self:
        """Send to everybody the same way."""
        return cls({}, sender)

    def of(self, recipient: str) -> Sender:
        """Return the sender for a recipient; raises `Unreachable` where it is configured no longer."""
        sender = self.senders.get(recipient, self.otherwise)
        if sender is None:
            raise Unreachable(f"no recipient is called {recipient!r} any more; put them back, or cancel the message")
        return sender

    @property
    def names(self) -> tuple[str, ...]:
        """The channels in use."""
        used = [*self.senders.values(), *([self.otherwise] if self.otherwise else [])]
        return tuple(dict.fromkeys(sender.name for sender in used))
