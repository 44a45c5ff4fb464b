"""The loop that every thread of the alert service runs: it calls one task's `step` until it is stopped."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from broker.config.errors import Locked
from broker.monitor.thread_heartbeat import ThreadHeartbeat
from broker.ports import Superseded

log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS: Final = 0.25
LONGEST_RETRY_SECONDS: Final = 1.0
"""While the database cannot be used, a step is tried again after pauses that double between these two."""

STANDBY_SECONDS: Final = 0.3
"""After another instance became the leader, a task waits so long before it looks for work again."""


class Task(Protocol):
    """Work that is done in steps. A step may raise `Locked`, or `Superseded`, and is called again."""

    def step(self) -> bool:
        """Do the next thing that is due; False where nothing was."""

    def idle_seconds(self) -> float:
        """How long to wait after a step that did nothing, unless the worker is woken."""

    def finish(self) -> None:
        """Do what has to be done after the last step; called once."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One task and its loop."""

    name: str
    task: Task
    heartbeat: ThreadHeartbeat
    wake: threading.Event
    """Set where work for the task was made."""
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)

    def stop(self) -> None:
        """Ask `run` to end after the present step; from any thread."""
        self._stopping.set()
        self.wake.set()

    def run(self) -> None:
        """Call the task until `stop`; raises what the task raises, but for `Locked` and `Superseded`."""
        retry_seconds = 0.0
        while not self._stopping.is_set():
            self.heartbeat.beat()
            self.wake.clear()
            try:
                pause = 0.0 if self.task.step() else self.task.idle_seconds()
                retry_seconds = 0.0
            except Locked as error:
                if not retry_seconds:
                    log.warning("database unavailable; retrying", extra={"worker": self.name, "reason": str(error)})
                pause = retry_seconds = min(max(FIRST_RETRY_SECONDS, 2 * retry_seconds), LONGEST_RETRY_SECONDS)
            except Superseded as error:
                log.warning("another instance became the leader", extra={"worker": self.name, "reason": str(error)})
                pause = STANDBY_SECONDS
            if pause and not self._stopping.is_set():
                self.wake.wait(pause)
        self._finish()

    def _finish(self) -> None:
        try:
            self.task.finish()
        except (Locked, Superseded) as error:
            log.warning("stopped with work left", extra={"worker": self.name, "reason": str(error)})


@contextmanager
def running(worker: Worker, *, on_crash: Callable[[BaseException], None], wait: bool = True) -> Iterator[None]:
    """Run a worker in a thread of its own as long as the block runs.

    `on_crash` gets an error that ended it. With `wait`, the end of the block waits for the thread; without, the thread
    is a daemon, for a task that may hang in a call that nobody needs.
    """

    def supervise() -> None:
        try:
            worker.run()
        except Exception as error:
            log.exception("worker crashed; stopping", extra={"worker": worker.name})
            on_crash(error)

    thread = threading.Thread(target=supervise, name=worker.name, daemon=not wait)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        if wait:
            thread.join()
