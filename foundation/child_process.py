"""Child processes that end with their parent, however it ends: also by SIGKILL, which it cannot pass on."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
"""From the kernel's linux/prctl.h; the setting survives `exec`."""

_TRAMPOLINE: Final = f"""
import ctypes, os, sys
ctypes.CDLL(None).prctl({_PR_SET_PDEATHSIG}, ctypes.c_ulong({int(signal.SIGTERM)}))
if os.getppid() != int(sys.argv[1]):
    sys.exit({128 + int(signal.SIGTERM)})
os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Python, because code between fork and exec is not safe in a parent with threads. A parent that ended before the call
is noticed by the child's new parent."""


def bound(command: Sequence[str]) -> list[str]:
    """Return a command that runs this one, and to which the kernel sends SIGTERM when this process ends.

    Strictly, when the thread that starts it ends: start it from one that lives as long as the child shall. Elsewhere
    than on Linux the command is returned as it is.
    """
    if not sys.platform.startswith("linux"):
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _TRAMPOLINE, str(os.getpid()), *command]
