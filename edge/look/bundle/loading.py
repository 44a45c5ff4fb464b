"""Opens the bundle with which a camera is watched from the start: the configured one, or the last good one."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from contract import bundle
from contract.bundle import Contents
from contract.errors import Refused
from contract.status import Fallback, Part
from edge.errors import Misconfigured
from edge.infer.captioner import Captioner
from edge.infer.runtime import Acceleration, NotAModel
from edge.last_good.bundle_copy import MAX_STARTS, BundleCopy
from edge.look.bundle.trial import TrialFailed

log = logging.getLogger(__name__)

MAX_REASON = 120
"""Characters of a reason in a status."""


class Try(Protocol):
    """How a bundle is tried before it is used."""

    def __call__(self, folder: Path, threads: int) -> str:
        """Return the digest of what was tried; raises `TrialFailed`."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle that is ready to be used."""

    captioner: Captioner
    contents: Contents
    fallback: Fallback | None
    """Why it is the last good one; None where it is the configured one."""
    refused: str = ""
    """Digest of the configured one, where it is whole and cannot be used."""


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads bundles for one camera."""

    folder: Path
    """The configured one; what lies there may change at any moment."""
    threads: int
    copy: BundleCopy
    attempt: Try
    now: Callable[[], datetime]
    acceleration: Acceleration | None = None

    def open(self) -> Opened:
        """Open the configured bundle, or else the last good one; raises `Misconfigured` where neither can be used."""
        refused = ""
        try:
            contents = bundle.read(self.folder)
            refused = contents.digest
            self._require_proof(contents)
            return Opened(self.load(contents), contents, None)
        except (Refused, NotAModel, TrialFailed) as error:
            said = error.detail if isinstance(error, Refused) else str(error)
            kept = self.copy.read()
            if kept is None:
                raise Misconfigured(said) from error
        log.error("bundle not used", extra={"reason": said, "instead": kept.manifest.model})
        return Opened(self.load(kept), kept, self.fallback(said), refused)

    def load(self, contents: Contents) -> Captioner:
        """Load a checked bundle; raises `Refused`, `NotAModel` or `NoRuntime`."""
        return Captioner(self.folder, contents, threads=self.threads, beam_width=None, acceleration=self.acceleration)

    def fallback(self, reason: str) -> Fallback:
        """Say that the configured bundle is not used, without the path that the operator knows."""
        return Fallback(Part.BUNDLE, reason.replace(f"{self.folder}/", "")[:MAX_REASON], self.now())

    def _require_proof(self, contents: Contents) -> None:
        """Try a bundle that has not worked yet, where there is one that has; raises `TrialFailed`."""
        if self.copy.digest() not in ("", contents.digest):
            self.prove(contents)

    def prove(self, contents: Contents) -> None:
        """Try a bundle, and count the start with it; raises `TrialFailed`."""
        model = contents.manifest.model
        try:
            tried = self.attempt(self.folder, self.threads)
        except TrialFailed as error:
            raise TrialFailed(f"{model}: {error}") from error
        if tried != contents.digest:
            raise TrialFailed(f"{model}: the bundle changed while it was tried")
        if self.copy.count_start(contents.digest) > MAX_STARTS:
            raise TrialFailed(f"{model}: the process ended {MAX_STARTS} times with it")
