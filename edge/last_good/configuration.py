"""The last configuration that worked: kept as text beside its digest, and used while `edge.yaml` cannot be."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from contract.status import Fallback, Part
from edge import config
from edge.config import Config
from edge.errors import Failure
from foundation import whole_file, yaml_file
from foundation.yaml_file import FileProblem

log = logging.getLogger(__name__)

FILE: Final = "configuration.json"

MODE: Final = 0o600
"""Of the copy: what stands in `edge.yaml` concerns this process alone."""

MAX_REASON: Final = 120
"""Characters of a reason in a status."""


class Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The copy."""

    path: str
    """Absolute path of the file that it was."""
    sha256: str
    """Of the text."""
    text: str
    """What stood in it."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A configuration to work with."""

    settings: Config
    text: str
    fallback: Fallback | None
    """Why it is the last good one; None where it is the file as it stands."""


class LastConfiguration:
    """The copy of one process."""

    def __init__(self, folder: Path, path: Path, now: Callable[[], datetime]) -> None:
        """`folder` is the process's own, `path` the configuration."""
        self._file, self._path, self._now = folder / FILE, path, now

    def choose(self) -> Chosen:
        """Read the configuration, or else the last good one; raises `Failure` of the file where there is none."""
        try:
            text = yaml_file.text_of(self._path)
            return Chosen(config.parse(text, self._path), text, None)
        except Failure as error:
            return self.instead(error)

    def instead(self, error: Failure, *, of_text: str | None = None) -> Chosen:
        """Return the last good configuration because of an error; raises the error where there is none.

        Nor is there one where it is the very text that the error is about, `of_text`.
        """
        kept = self._read()
        if kept is None or kept.text == of_text:
            raise error
        try:
            settings = config.parse(kept.text, self._path)
        except Failure:
            raise error from None
        log.error("configuration not used", extra={"reason": str(error), "instead": "the last good one"})
        return Chosen(settings, kept.text, Fallback(Part.CONFIGURATION, _reason(error, self._path), self._now()))

    def keep(self, text: str) -> None:
        """Keep a configuration that has worked; where that fails, a line is logged."""
        kept = self._read()
        if kept is not None and kept.text == text:
            return
        made = Kept(path=str(self._path.resolve()), sha256=_digest(text), text=text)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            whole_file.write(self._file, msgspec.json.encode(made), mode=MODE)
        except OSError as error:
            log.warning(
                "configuration not kept", extra={"file": str(self._file), "reason": error.strerror or str(error)}
            )

    def _read(self) -> Kept | None:
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=Kept)
        except (OSError, msgspec.MsgspecError, ValueError):
            return None
        return kept if (kept.path, kept.sha256) == (str(self._path.resolve()), _digest(kept.text)) else None


def _reason(error: Failure, path: Path) -> str:
    """Say what is wrong for the status: where, but not the value that stands there, which may be a password."""
    if not isinstance(error, FileProblem):
        return str(error).replace(str(path), path.name)[:MAX_REASON]
    place = path.name if error.line is None else f"{path.name}:{error.line}"
    return ": ".join(part for part in (place, error.where) if part)[:MAX_REASON]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
