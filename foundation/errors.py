"""Errors that end a program with one line and an exit code, sorted by who can correct them."""

import errno
from typing import Final

TRY_AGAIN: Final = 75
"""Exit code for what may pass by itself (EX_TEMPFAIL of sysexits.h)."""

MISCONFIGURED: Final = 78
"""Exit code for what the operator must correct (EX_CONFIG of sysexits.h)."""


class Failure(Exception):
    """One sentence that names what is wrong, where, and what to do about it."""

    exit_code: int = 1


class Misconfigured(Failure):
    """The operator can correct it: a configuration, a file, a password. Trying again cannot help."""

    exit_code = MISCONFIGURED


class TryAgain(Failure):
    """It may pass by itself: a full disk, a locked database, a server that is down."""

    exit_code = TRY_AGAIN


_PASSING: Final = {
    errno.ENOSPC: "free some space on that disk and run the same command again",
    errno.EDQUOT: "free some of this user's space on that disk and run the same command again",
    errno.EFBIG: "a file may not be larger for this user; raise the limit (ulimit -f) and run the same command again",
    errno.EROFS: "the disk is mounted read-only, as after a fault; try again when it is writable",
    errno.EIO: "the disk or the network file system failed; try again, and check the disk if it happens again",
    errno.ESTALE: "the network file system lost the file; try again",
    errno.ENOMEM: "the machine is out of memory; end other programs and try again",
    errno.EMFILE: "this program has too many files open; try again",
    errno.ENFILE: "the machine has too many files open; end other programs and try again",
    errno.EAGAIN: "the machine is busy; try again",
    errno.EBUSY: "another program uses it; try again when that has ended",
    errno.ETXTBSY: "another program uses it; try again when that has ended",
    errno.ETIMEDOUT: "no answer in time; try again",
    errno.ECONNREFUSED: "nothing listens there; try again when the server is up",
    errno.ECONNRESET: "the connection broke; try again",
    errno.ECONNABORTED: "the connection broke; try again",
    errno.EHOSTUNREACH: "the network does not reach that machine; try again when it does",
    errno.ENETUNREACH: "the network does not reach that machine; try again when it does",
    errno.ENETDOWN: "the network is down; try again when it is up",
    errno.EADDRINUSE: "another program listens there; end it, or name another port",
    errno.EADDRNOTAVAIL: "this machine has no such address now; try again when its network is up, or name another host",
}
"""System errors that pass without an edit, and what the operator can do meanwhile."""


def from_os_error(error: OSError, where: str = "", *, remedy: str = "") -> Failure:
    """Return a system error as `TryAgain` where it passes by itself, else as `Misconfigured`.

    It names `where`, or else the file that the error names. `remedy` is what the operator can do where the error does
    not pass by itself.
    """
    name = where or error.filename2 or error.filename
    said = error.strerror or str(error) or type(error).__name__
    sentence = f"{name}: {said}" if name else said
    if error.errno in _PASSING:
        return TryAgain(f"{sentence}; {_PASSING[error.errno]}")
    return Misconfigured(f"{sentence}; {remedy}" if remedy else sentence)
