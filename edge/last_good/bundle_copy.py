"""The last bundle that worked: a whole copy of its own, and how often another one was tried since."""

import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract import bundle
from contract.bundle import Contents
from contract.errors import Refused
from foundation import whole_file

log = logging.getLogger(__name__)

NOTE: Final = "bundle.json"
TRIAL: Final = "trial.json"

MAX_STARTS: Final = 3
"""Starts with a bundle that has not worked yet: when the process has ended so often, the last good one is used."""

FORGET_SECONDS: Final = 3600.0
"""After so long a bundle is tried again: kills and power cuts may have been what ended the process."""


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which copy is the last good one."""

    digest: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    """Of its manifest."""


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bundle that has not worked yet."""

    digest: str
    starts: Annotated[int, Meta(ge=1)]
    """How often the process has begun with it."""


class BundleCopy:
    """The copy of one process, in its own folder."""

    def __init__(self, folder: Path, now_seconds: Callable[[], float] = time.time) -> None:
        """`now_seconds` is the time since 1970, as the file system has it."""
        self._folder, self._now_seconds = folder, now_seconds

    def digest(self) -> str:
        """Return the digest of the last good bundle; "" where there is none."""
        try:
            return msgspec.json.decode((self._folder / NOTE).read_bytes(), type=Note).digest
        except (OSError, msgspec.MsgspecError, ValueError):
            return ""

    def path(self, digest: str) -> Path:
        """Return the folder of a copy."""
        return self._folder / f"bundle-{digest[:16]}"

    def read(self) -> Contents | None:
        """Read the last good bundle; None where there is none, or it is not whole any more."""
        digest = self.digest()
        if not digest:
            return None
        try:
            found = bundle.read(self.path(digest))
        except Refused as error:
            log.error("last good bundle damaged", extra={"reason": error.detail})  # noqa: TRY400  # the reason says all
            return None
        return found if found.digest == digest else None

    def keep(self, contents: Contents) -> None:
        """Copy a bundle that has worked, in place of the last one; where that fails, a line is logged."""
        if contents.digest != self.digest():
            try:
                self._write(contents)
            except OSError as error:
                reason = error.strerror or str(error)
                log.warning("bundle not kept", extra={"folder": str(self._folder), "reason": reason})
                return
            log.info("bundle kept", extra={"model": contents.manifest.model})
        (self._folder / TRIAL).unlink(missing_ok=True)

    def count_start(self, digest: str) -> int:
        """Note that the process begins to work with a bundle that has not worked yet; return the starts so far."""
        path = self._folder / TRIAL
        starts = 1
        try:
            trial = msgspec.json.decode(path.read_bytes(), type=Trial)
            is_recent = 0 <= self._now_seconds() - path.stat().st_mtime <= FORGET_SECONDS
            if trial.digest == digest and is_recent:
                starts = trial.starts + 1
        except (OSError, msgspec.MsgspecError, ValueError):
            pass
        if starts <= MAX_STARTS:
            try:
                whole_file.write(path, msgspec.json.encode(Trial(digest, starts)))
            except OSError as error:
                log.warning("start not counted", extra={"file": str(path), "reason": error.strerror or str(error)})
        return starts

    def _write(self, contents: Contents) -> None:
        """Write the files, then the note that names them, then delete what it does not name; raises `OSError`."""
        place = self.path(contents.digest)
        draft = place.with_name("bundle-new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        for role, file in contents.manifest.files.items():
            whole_file.write(draft / file.name, contents.data[role])
        whole_file.write(draft / bundle.MANIFEST, contents.manifest_data)
        shutil.rmtree(place, ignore_errors=True)
        draft.rename(place)
        whole_file.write(self._folder / NOTE, msgspec.json.encode(Note(contents.digest)))
        for old in self._folder.glob("bundle-*"):
            if old != place:
                shutil.rmtree(old, ignore_errors=True)
