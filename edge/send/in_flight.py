"""Captions on their way: published, and not yet acknowledged by the server."""

from dataclasses import dataclass
from typing import Final

MAX_DOUBLINGS: Final = 5
"""Waits double up to 32 times the first: a server that is down for hours is then asked every 16 minutes, not all the
time, and one that comes back has most captions from its own queue anyway."""


@dataclass(slots=True)
class Flight:
    """One caption on its way."""

    seq: int
    first_at: float
    """When it was first published on this connection."""
    last_at: float
    """When it was last published."""
    times: int = 1
    """How often it was published."""
    danger: bool = False


class Flights:
    """Every caption on its way, by its id; times are seconds on one monotonic clock."""

    def __init__(self, resend_seconds: float) -> None:
        self._resend_seconds = resend_seconds
        self._flights: dict[str, Flight] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def count(self, *, danger: bool) -> int:
        """Return how many are on their way that speak of a danger, or that do not."""
        return sum(flight.danger is danger for flight in self._flights.values())

    def publish(self, event_id: str, seq: int, now: float, *, danger: bool = False) -> None:
        """Remember that a caption was published."""
        flight = self._flights.get(event_id)
        if flight is None:
            self._flights[event_id] = Flight(seq, now, now, danger=danger)
        else:
            flight.last_at = now
            flight.times += 1

    def land(self, event_id: str, now: float) -> float | None:
        """Forget an acknowledged caption; give the seconds since it was first published, None if it is not known."""
        flight = self._flights.pop(event_id, None)
        return None if flight is None else now - flight.first_at

    def overdue(self, now: float) -> list[int]:
        """Return the sequence numbers of captions to be sent again."""
        return [flight.seq for flight in self._flights.values() if now >= self._due(flight)]

    def drop_seq(self, seq: int) -> None:
        """Forget a caption that is no longer in the outbox."""
        self._flights = {known: flight for known, flight in self._flights.items() if flight.seq != seq}

    def clear(self) -> None:
        """Forget all: the connection is over."""
        self._flights.clear()

    def _due(self, flight: Flight) -> float:
        wait: float = self._resend_seconds * 2.0 ** min(flight.times - 1, MAX_DOUBLINGS)
        return flight.last_at + wait
