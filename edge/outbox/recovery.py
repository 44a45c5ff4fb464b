"""Opens the outbox whatever a power cut did to it: a damaged file is set aside, and a new one is begun."""

import fcntl
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from edge.errors import OutboxDamaged
from edge.outbox import sqlite_errors
from edge.outbox.outbox import BUSY_SECONDS, Outbox

log = logging.getLogger(__name__)

KEPT: Final = 2
"""Damaged files that are kept for someone to look at; older ones are deleted, so that the disk does not fill."""


def open_outbox(path: Path, max_captions: int, max_bytes: int | None = None) -> Outbox:
    """Open the outbox, or begin a new one in place of a damaged file, which is renamed to `*.damaged-<number>`.

    Raises what `Outbox` raises, except `OutboxDamaged`.
    """
    with _alone(path):
        try:
            return _open_whole(path, max_captions, max_bytes)
        except OutboxDamaged as error:
            number = _set_aside(path)
            log.error(  # noqa: TRY400  # the reason says all
                "outbox set aside", extra={"reason": str(error), "kept_as": _damaged(path, number).name}
            )
        outbox = Outbox(path, max_captions, max_bytes)
        outbox.count_set_aside(number)
        return outbox


def _open_whole(path: Path, max_captions: int, max_bytes: int | None) -> Outbox:
    outbox = Outbox(path, max_captions, max_bytes)
    try:
        outbox.check()
    except BaseException:
        outbox.close()
        raise
    return outbox


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep the other process from opening or setting aside the same file meanwhile."""
    with sqlite_errors.explained(path, BUSY_SECONDS):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o660)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _set_aside(path: Path) -> int:
    """Rename the file with its log, and return the number that it got."""
    numbers = sorted(_numbers(path))
    number = (numbers[-1] if numbers else 0) + 1
    with sqlite_errors.explained(path, BUSY_SECONDS):
        for suffix in ("", "-wal"):
            found = path.with_name(path.name + suffix)
            if found.exists():
                found.rename(_damaged(path, number).with_name(_damaged(path, number).name + suffix))
        path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
        for old in numbers[: max(0, len(numbers) - KEPT + 1)]:
            for suffix in ("", "-wal"):
                _damaged(path, old).with_name(_damaged(path, old).name + suffix).unlink(missing_ok=True)
    return number


def _damaged(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.damaged-{number}")


def _numbers(path: Path) -> Iterator[int]:
    for found in path.parent.glob(f"{path.name}.damaged-*"):
        if match := re.fullmatch(r".*\.damaged-(\d{1,9})", found.name):
            yield int(match[1])
