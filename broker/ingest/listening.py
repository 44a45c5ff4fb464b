"""Since when the messages of every device arrive without a break: silence in a break says nothing about a device."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Listening:
    """Begins with the subscription, and anew after a time in which nothing could be stored."""

    _subscribed_at: datetime | None = field(default=None, init=False)
    _stored_at: datetime | None = field(default=None, init=False)
    """When messages could be stored again; None where they always could."""
    _is_stalled: bool = field(default=False, init=False)

    @property
    def since(self) -> datetime | None:
        """Since when messages arrive and are stored; None while they are not."""
        if self._subscribed_at is None or self._is_stalled:
            return None
        return max(self._subscribed_at, self._stored_at or self._subscribed_at)

    def subscribe(self, at: datetime) -> None:
        """Note that the MQTT server has taken the subscription."""
        self._subscribed_at = at

    def disconnect(self) -> None:
        """Note that the connection is lost."""
        self._subscribed_at = None

    def stall(self) -> None:
        """Note that messages could not be stored."""
        self._is_stalled = True

    def store(self, at: datetime) -> None:
        """Note that messages were stored."""
        if self._is_stalled:
            self._is_stalled, self._stored_at = False, at
