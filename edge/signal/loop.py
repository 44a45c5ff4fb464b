"""Shows on the pins what the notes in the outbox say, until the process is to stop."""

import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from edge.outbox import process_report
from edge.outbox.outbox import Outbox
from edge.signal.state import Shown, Watcher

LOOK_SECONDS: Final = 0.5


class Pins(Protocol):
    """What can show it."""

    def show(self, shown: Shown) -> None:
        """Show it, where it is not shown already."""
        ...


def run(
    outbox: Outbox,
    pins: Pins,
    stop: threading.Event,
    *,
    on_progress: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Show until `stop`; raises `TryAgain`, as for an outbox that was set aside."""
    watcher = Watcher(frames_at=clock())
    while not stop.is_set():
        looked, sent = (process_report.read(outbox, name) for name in (process_report.LOOK, process_report.SEND))
        pins.show(watcher.look(looked, sent, clock()))
        on_progress()
        stop.wait(LOOK_SECONDS)
