"""Bounds a sender: in the time of one call, and in calls per second."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from broker.notify.call_timeout import Clogged, Deadline, Late
from broker.ports import Busy, Doubtful, Sender, Throttled, Unreachable

Seconds = Callable[[], float]


class RateLimited:
    """Asks for patience itself where the provider has asked for it, or would have to."""

    def __init__(
        self,
        make: Callable[[], Sender],
        *,
        seconds: float,
        per_second: float,
        clock: Seconds = time.monotonic,
    ) -> None:
        self._make = make
        self._sender = make()
        self.name = self._sender.name
        self.askable = self._sender.askable
        self._deadline = Deadline(seconds)
        self._gap = 1 / per_second
        self._clock = clock
        self._free_at = clock()

    def send(self, to: str, text: str) -> str:
        """Hand over one message; raises `SendFailed`, of which `Throttled` without asking anyone."""
        wait = self._free_at - self._clock()
        if wait > 0:
            raise Throttled(f"{self.name} may send again in {wait:.1f} s", retry_after=timedelta(seconds=wait))
        self._free_at = self._clock() + self._gap
        sender = self._sender
        try:
            return self._deadline.run(lambda: sender.send(to, text))
        except Late as error:
            self._sender = self._make()  # the late call still uses the other one
            raise Doubtful(f"{self.name}: {error}") from error
        except Clogged as error:
            raise Unreachable(f"{self.name}: {error}") from error
        except Busy as error:
            self._free_at = self._clock() + error.retry_after.total_seconds()
            raise

    def find(self, to: str, text: str, *, since: datetime) -> Sequence[str]:
        """Ask after a message; raises `Unreachable`."""
        sender = self._sender
        try:
            return self._deadline.run(lambda: sender.find(to, text, since=since))
        except Late as error:
            self._sender = self._make()
            raise Unreachable(f"{self.name}: {error}") from error
        except Clogged as error:
            raise Unreachable(f"{self.name}: {error}") from error
