"""Where frames lie on their way from `pull` to `look`: a folder in memory, so that no picture is ever on a disk."""

import fcntl
import hashlib
import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from edge.errors import Misconfigured
from foundation.errors import from_os_error

IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
"""Kinds of file systems that have no disk (proc(5), mountinfo)."""

SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # the folder made in it is this user's alone


DEAD_SECONDS: Final = 600.0
"""Longer than any pause before a process that ended is started again."""


def frames_file(folder: Path, stream: str) -> Path:
    """Return the file of one camera."""
    return folder / f"{stream}.frames"


def usual(outbox: Path) -> Path:
    """Return the folder of a device that is given none: its own, by its outbox, in this user's part of memory."""
    name = f"wordcam-{os.getuid()}-{hashlib.sha256(str(outbox.absolute()).encode()).hexdigest()[:12]}"
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nowhere")
    for parent in (runtime, SHARED_MEMORY):
        if is_in_memory(parent) and os.access(parent, os.W_OK):
            return parent / name
    return Path(tempfile.gettempdir()) / name


def prepare(folder: Path) -> Path:
    """Make the folder where it is missing, for this user alone.

    Raises `Misconfigured` for one that is on a disk, or another user's.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise from_os_error(error, f"--frames {folder}", remedy="its parent must exist, and be in memory") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.getuid(), 0}:
        raise Misconfigured(f"--frames {folder}: another user's; remove it, or name another folder")
    if sys.platform == "linux" and not is_in_memory(folder):
        raise Misconfigured(f"--frames {folder}: on a disk; name a folder in memory, such as one of /run or /dev/shm")
    return folder


def remove(folder: Path) -> None:
    """Remove the folder with what a killed process left in it."""
    for file in folder.glob("*.frames"):
        file.unlink(missing_ok=True)
    folder.rmdir()


def remove_dead(own: Path, now: float) -> None:
    """Remove what killed processes of this user have left beside a folder: written by none, and for ten minutes.

    `now` is in seconds since 1970. The folder of another device of this user stays, whose `pull` writes or may start
    again soon.
    """
    for folder in own.parent.glob(f"wordcam-{os.getuid()}-*"):
        with suppress(OSError):
            found = folder.lstat()
            if folder != own and stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and _is_dead(folder, now):
                remove(folder)


def _is_dead(folder: Path, now: float) -> bool:
    """Whether no file in it was written lately or is locked, as `pull` does with its own."""
    if any(now - path.lstat().st_mtime < DEAD_SECONDS for path in (folder, *folder.iterdir())):
        return False
    for path in folder.glob("*.frames"):
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(file)
    return True


def is_in_memory(folder: Path) -> bool:
    """Whether a folder is there and its file system has no disk."""
    if not folder.is_dir():
        return False
    kind, longest = "", -1
    path = str(folder.resolve())
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        before, _, after = line.partition(" - ")
        # Later mounts hide earlier ones at the same place.
        mount = before.split()[4].encode().decode("unicode_escape").rstrip("/")
        if (path == mount or path.startswith(f"{mount}/")) and len(mount) >= longest:
            kind, longest = after.split()[0], len(mount)
    return kind in IN_MEMORY
