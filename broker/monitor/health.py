"""Whether the service is alive, and whether it is ready: named checks, each with its reason."""

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
"""An answer is reused for so long, so that frequent probes do not keep the database busy."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check."""

    name: str
    ok: bool
    because: str


@dataclass
class Health:
    """Runs the checks."""

    asked: Sequence[Callable[[], Sequence[Check]]]
    """The checks of what the service needs."""
    heartbeats: Mapping[str, ThreadHeartbeat] = field(default_factory=dict)
    """Of each thread, by its name."""
    seconds: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: list[Check] = field(default_factory=list)
    _known_at: float = 0

    def alive(self) -> list[Check]:
        """Return whether each worker makes progress: where one does not, only a restart helps."""
        return [
            Check(name, not heartbeat.is_stuck, f"last step {heartbeat.age_seconds:.1f} s ago")
            for name, heartbeat in self.heartbeats.items()
        ]

    def ready(self) -> list[Check]:
        """Return whether everything that the service needs is there."""
        with self._lock:
            if not self._known or self.seconds() - self._known_at > FRESH_SECONDS:
                self._known = [*(check for ask in self.asked for check in ask()), *self.alive()]
                self._known_at = self.seconds()
            return self._known


@dataclass(frozen=True, slots=True)
class Watched:
    """What the service shows of itself."""

    engine: Engine
    connected: Callable[[], bool]
    refusal: Callable[[], str]
    """Why the MQTT server refuses the service; "" while it does not."""
    backlog: Callable[[], int]
    """Messages that wait to be ingested."""
    heartbeats: Mapping[str, ThreadHeartbeat]
    """Of each worker, by its name."""


def health_of(watched: Watched) -> Health:
    """Return the checks of a service."""
    engine, connected, refusal = watched.engine, watched.connected, watched.refusal
    return Health([lambda: mqtt(connected(), refusal()), lambda: database(engine)], watched.heartbeats)


def as_json(word: str, checks: Sequence[Check]) -> dict[str, Any]:
    """Return the JSON answer to a probe: whether the service is alive, or ready."""
    each = {check.name: {"ok": check.ok, "because": check.because} for check in checks}
    return {word: all(check.ok for check in checks), "checks": each}


def mqtt(connected: bool, refusal: str = "") -> list[Check]:
    """Return whether the MQTT server has taken the service's subscription, and why not."""
    missing = refusal or "not connected, or not subscribed"
    return [Check("mqtt", connected, "connected and subscribed" if connected else missing)]


def database(engine: Engine) -> list[Check]:
    """Return whether the database can be written, and has the tables of this version."""
    try:
        migrate.check_writable(engine)
        age = migrate.age(engine)
    except Failure as error:
        # The log names the file; a probe need not know it.
        problem = str(error).rpartition(": ")[2]
        return [Check("database", False, problem), Check("migrations", False, "the database cannot be asked")]
    return [Check("database", True, "can be written"), Check("migrations", age is Age.CURRENT, age.value)]
