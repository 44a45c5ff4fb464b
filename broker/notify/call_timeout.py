"""Ends a call in time, whatever the other side does."""

import threading
from collections.abc import Callable
from typing import Final, TypeVar

Result = TypeVar("Result")

MAX_ABANDONED: Final = 16
"""Calls that may still hang after their timeout; each costs a thread and a socket."""


class Late(Exception):
    """The call has not ended in time, and may have had its effect."""


class Clogged(Exception):
    """Too many earlier calls still hang; this one was not started."""


class Deadline:
    """Runs calls that libraries cannot bound: their time limits count from byte to byte, and a slow drip has no end.

    A call that is late goes on in a thread of its own until its connection ends; its result is thrown away.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._abandoned: list[threading.Thread] = []

    def run(self, call: Callable[[], Result]) -> Result:
        """Return what the call returns, or raise what it raises; raises `Late` or `Clogged`."""
        self._abandoned = [thread for thread in self._abandoned if thread.is_alive()]
        if len(self._abandoned) >= MAX_ABANDONED:
            raise Clogged(f"{MAX_ABANDONED} earlier calls still hang")
        given: list[Result] = []
        raised: list[BaseException] = []

        def work() -> None:
            try:
                given.append(call())
            except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
                raised.append(error)

        thread = threading.Thread(target=work, name="call", daemon=True)
        thread.start()
        thread.join(self.seconds)
        if raised:
            raise raised[0]
        if given:
            return given[0]
        self._abandoned.append(thread)
        raise Late(f"no whole answer within {self.seconds:g} s")
