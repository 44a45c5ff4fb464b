"""Has the C library give the memory of pictures back to the kernel as soon as they are done with (mallopt(3)).

By itself it raises the size from which it does so to that of the largest block it has met, a picture of 4K, and keeps
everything smaller in heaps with holes.
"""

import sys
from contextlib import suppress
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
"""Parameters of malloc.h."""

LARGE_BYTES: Final = 1 << 20
"""Of a block that is a picture, and not one of the many small ones."""


def give_back() -> None:
    """Set it for this process; where the C library is another than glibc, nothing changes."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes  # noqa: PLC0415  # the process that sends runs without it, under MemoryDenyWriteExecute

    with suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter in (_MMAP_THRESHOLD, _TRIM_THRESHOLD):
            mallopt(ctypes.c_int(parameter), ctypes.c_int(LARGE_BYTES))
