"""Ends a verb that runs until it is stopped: SIGINT (Ctrl-C) and SIGTERM."""

import signal
import threading
from collections.abc import Callable


def stop_on_signal(stop: Callable[[], None]) -> None:
    """Call `stop` at SIGINT or SIGTERM; from the main thread.

    It is called in a thread of its own: a signal may find the main thread inside `Event.wait`, holding the lock that
    `Event.set` takes.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: threading.Thread(target=stop).start())
