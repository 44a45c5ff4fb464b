"""Silence for native code that writes to the terminal past Python."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stderr() -> Iterator[None]:
    """Send what anyone writes to file descriptor 2 to nowhere; errors still come as exceptions."""
    saved = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)
