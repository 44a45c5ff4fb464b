"""Waits for a condition, never for a time: how fast the machine is must not decide a test."""

import time
from collections.abc import Callable
from typing import Final

PATIENCE_SECONDS: Final = 240.0
"""The longest wait for what takes milliseconds on an idle machine. It ends only what would never end."""

POLL_SECONDS: Final = 0.02


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Return when the condition holds; raises `AssertionError` naming `what` if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(POLL_SECONDS)
