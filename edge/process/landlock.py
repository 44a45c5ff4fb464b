"""Which files a process may write from now on, by the kernel's Landlock, which asks for no privilege.

After linux/landlock.h and the kernel's Documentation/userspace-api/landlock.rst. Kernels from 5.13 on have it where
it was built in; what an older one cannot restrict yet stays as the user's permissions have it.
"""

import errno
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""System calls, of the same number on every architecture."""

_WRITE_FILE: Final = 1 << 1
_TRUNCATE: Final = 1 << 14
_WRITES: Final = (
    (1, sum(1 << bit for bit in (1, 4, 5, 6, 7, 8, 9, 10, 11, 12))),  # write, remove, make
    (2, 1 << 13),  # move to another folder
    (3, _TRUNCATE),
)
"""LANDLOCK_ACCESS_FS_..., by the version from which on the kernel knows it."""
_FOLDER_WRITES: Final = (1 << 1) | (1 << 4) | (1 << 5) | (1 << 7) | (1 << 8) | (1 << 13) | _TRUNCATE
"""What is allowed in a folder: files and folders, but no device, pipe, socket or symbolic link."""

_TCP_VERSION: Final = 4
_TCP: Final = 0b11
"""LANDLOCK_ACCESS_NET_BIND_TCP and _CONNECT_TCP."""

_SCOPE_VERSION: Final = 6
_SCOPES: Final = 0b11
"""LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET and _SIGNAL: not beyond this process and its children."""

_PATH_BENEATH: Final = 1


def version() -> int:
    """Return the version that the kernel has; 0 where it has none."""
    return max(0, _call(_CREATE, 0, 0, 1)) if sys.platform.startswith("linux") else 0


def restrict_writes(folders: Iterable[Path], devices: Iterable[Path] = (), *, tcp: bool = False) -> str:
    """Let this process write below some folders and to some devices, and nowhere else; without `tcp` use no TCP.

    Returns "", or why it cannot be done. To be called before any thread is started.
    """
    known = version()
    if known < 1:
        return "the kernel has no Landlock"
    handled = sum(bits for since, bits in _WRITES if known >= since)
    net = 0 if tcp or known < _TCP_VERSION else _TCP
    scopes = _SCOPES if known >= _SCOPE_VERSION else 0
    size = 8 if known < _TCP_VERSION else 16 if known < _SCOPE_VERSION else 24
    rules = _call(_CREATE, struct.pack("<QQQ", handled, net, scopes)[:size], size, 0)
    if rules < 0:
        return f"Landlock refused ({errno.errorcode.get(-rules, str(-rules))})"
    try:
        for allowed, paths in ((_FOLDER_WRITES & handled, folders), (_WRITE_FILE, devices)):
            for path in paths:
                _allow(rules, path, allowed)
        done = _call(_RESTRICT, rules, 0)
    finally:
        os.close(rules)
    return "" if done == 0 else f"Landlock refused ({errno.errorcode.get(-done, str(-done))})"


def _allow(rules: int, path: Path, access: int) -> None:
    """Add a rule; a path that is not there needs none."""
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        _call(_ADD, rules, _PATH_BENEATH, struct.pack("<Qi", access, opened), 0)
    finally:
        os.close(opened)


def _call(number: int, *arguments: int | bytes) -> int:
    """Make a system call; return its answer, or the negative of its errno."""
    import ctypes  # noqa: PLC0415  # the process that sends runs without it, under MemoryDenyWriteExecute

    library = ctypes.CDLL(None, use_errno=True)
    given = [ctypes.c_char_p(value) if isinstance(value, bytes) else ctypes.c_long(value) for value in arguments]
    answer = int(library.syscall(ctypes.c_long(number), *given))
    return answer if answer >= 0 else -ctypes.get_errno()
