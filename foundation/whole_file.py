"""Writes a file whole or not at all: after a power cut there is the old one or the new one, never half of one."""

import os
from pathlib import Path


def write(path: Path, data: bytes | str, *, mode: int = 0o644) -> None:
    """Put a file in place of the one that is there, with its permissions from the start; text is UTF-8.

    `mode` is narrowed by the umask. Raises `OSError`, leaving what was there.
    """
    # One name for each process: what a power cut leaves of it is overwritten some day, and does not add up.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk when this returns; raises `OSError`."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
