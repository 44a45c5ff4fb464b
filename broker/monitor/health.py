"""Whether the service lives, and whether it can do its work: named checks, each with its reason."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Engine

from broker.config.errors import Failure
from broker.monitor.thread_heartbeat import ThreadHeartbeat
from broker.store import migrate
from broker.store.migrate import Age

FRESH_SECONDS: Final = 2.0
"""An answer is given again for so long: whoever asks all the time does not hold the database all the time."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check."""

    name: str
    ok: bool
    because: str


@dataclass
class Health:
    """Asks everyone."""

    asked: Sequence[Callable[[], Sequence[Check]]]
    """What the work needs."""
    heartbeats: Mapping[str, ThreadHeartbeat] = field(default_factory=dict)
    """Of each thread, by its name."""
    seconds: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: list[Check] = field(default_factory=list)
    _known_at: float = 0

    def alive(self) -> list[Check]:
        """Say of each thread whether it turns: where one does not, only a new start helps."""
        return [
            Check(name, not heartbeat.is_stuck, f"turned {heartbeat.age_seconds:.1f} s ago")
            for name, heartbeat in self.heartbeats.items()
        ]

    def ready(self) -> list[Check]:
        """Say of everything that the work needs whether it is there."""
        with self._lock:
            if not self._known or self.seconds() - self._known_at > FRESH_SECONDS:
                self._known = [*(check for ask in self.asked for check in ask()), *self.alive()]
                self._known_at = self.seconds()
            return self._known


def said(word: str, checks: Sequence[Check]) -> dict[str, Any]:
    """Give what is answered to whoever asks whether the service is alive, or ready."""
    each = {check.name: {"ok": check.ok, "because": check.because} for check in checks}
    return {word: all(check.ok for check in checks), "checks": each}


def mqtt(connected: bool) -> list[Check]:
    """Say whether the MQTT server has taken the service's subscription."""
    return [Check("mqtt", connected, "connected and subscribed" if connected else "not connected, or not subscribed")]


def database(engine: Engine) -> list[Check]:
    """Say whether the database can be written, and has the tables of this version."""
    try:
        migrate.check_writable(engine)
        age = migrate.age(engine)
    except Failure as error:
        # Which file it is stands in the log: whoever may ask need not know.
        problem = str(error).rpartition(": ")[2]
        return [Check("database", False, problem), Check("migrations", False, "the database cannot be asked")]
    return [Check("database", True, "can be written"), Check("migrations", age is Age.CURRENT, age.value)]
