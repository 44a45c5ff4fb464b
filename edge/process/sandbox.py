"""What the device asks of the Linux kernel: no network for the process that sees, no orphans."""

import errno
import os
import resource
import signal
import struct
import sys
from typing import Final

CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWNET: Final = 0x40000000
PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_NO_NEW_PRIVS: Final = 38
"""Numbers from the kernel's uapi headers, linux/sched.h and linux/prctl.h."""

_CAPABILITY_VERSION: Final = 0x20080522
_FILES_OF_OTHERS: Final = 0b1111
"""Of linux/capability.h: the version with 64 bits, and CAP_CHOWN, _DAC_OVERRIDE, _DAC_READ_SEARCH and _FOWNER."""


def leave_network() -> str:
    """Put this process into an empty network namespace, for good; give an empty string, or why it could not be done.

    From then on nothing it runs can reach another machine. Must be called before any thread is started: a process
    with threads cannot enter a user namespace, which is what lets an ordinary user do this.
    """
    if not sys.platform.startswith("linux"):
        return f"{sys.platform} has no network namespaces"
    if _call("unshare", CLONE_NEWNET) == 0:
        return ""
    number = _call("unshare", CLONE_NEWUSER | CLONE_NEWNET)
    return "" if number == 0 else f"the kernel refused ({errno.errorcode.get(number, number)}: {os.strerror(number)})"


def write_no_dumps() -> None:
    """Have this process leave no core dump, which would hold what it has in memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def hide_memory() -> None:
    """Have no other process of this user read this one's memory: no ptrace, no dump, no /proc/PID/mem."""
    write_no_dumps()
    if sys.platform.startswith("linux"):
        _call("prctl", PR_SET_DUMPABLE, 0)


def close_inherited() -> None:
    """Close what this process was started with, beside its standard streams: a socket among it would be a way out."""
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def drop_capabilities() -> None:
    """Drop what root may beyond other users, except to read and write their files."""
    if sys.platform.startswith("linux"):
        header = struct.pack("<Ii", _CAPABILITY_VERSION, 0)
        _call("capset", header, struct.pack("<6I", _FILES_OF_OTHERS, _FILES_OF_OTHERS, 0, 0, 0, 0))


def gain_nothing() -> None:
    """Have no program that this process starts gain privileges; the kernel asks for it before any filter."""
    if sys.platform.startswith("linux"):
        _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when its parent ends, however it ends."""
    if sys.platform.startswith("linux"):
        _call("prctl", PR_SET_PDEATHSIG, signal.SIGTERM)


def _call(function: str, *arguments: int | bytes) -> int:
    """Call a C library function that gives 0 on success; give 0 or its errno."""
    import ctypes  # noqa: PLC0415  # the process that sends runs without it, under MemoryDenyWriteExecute

    library = ctypes.CDLL(None, use_errno=True)
    given = [ctypes.c_char_p(each) if isinstance(each, bytes) else ctypes.c_ulong(each) for each in arguments]
    return 0 if getattr(library, function)(*given) == 0 else ctypes.get_errno()
