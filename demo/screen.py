"""What the demo writes to the terminal: its own lines and those of its processes, whole, in the order they come."""

import os
import sys
import threading
from collections.abc import Callable
from typing import IO, Final

_BOLD_YELLOW: Final = "\033[1;33m"
_DIM: Final = "\033[2m"
_PLAIN: Final = "\033[0m"

_CHUNK: Final = 1 << 16
"""Bytes read at once: what a process flushed in one go, so that the lines of a message stay together."""

_lock: Final = threading.Lock()


def say(text: str = "") -> None:
    """Write a line of the demo's own."""
    with _lock:
        print(text, flush=True)


def stress(text: str) -> str:
    """Make text stand out, where the terminal can."""
    return _painted(text, _BOLD_YELLOW)


def quiet(text: str) -> str:
    """Make text stand back, where the terminal can."""
    return _painted(text, _DIM)


def follow(stream: IO[bytes], show: Callable[[str], str]) -> threading.Thread:
    """Copy what a process writes to the terminal until it ends, as `show` makes it look, in a thread of its own."""
    thread = threading.Thread(target=_copy, args=(stream, show), daemon=True)
    thread.start()
    return thread


def _copy(stream: IO[bytes], show: Callable[[str], str]) -> None:
    while chunk := os.read(stream.fileno(), _CHUNK):
        if text := show(chunk.decode("utf-8", errors="replace").rstrip("\n")):
            say(text)


def _painted(text: str, colour: str) -> str:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return text
    return f"{colour}{text}{_PLAIN}"
