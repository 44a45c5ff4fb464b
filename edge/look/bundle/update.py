"""Changes the bundle while the camera is watched: another one is read, tried and loaded beside the work, then used.

An updater puts a whole new folder beside the old one and moves the link that `bundle` names, in one step.
No frame is missed: the one that is under way is finished with the old bundle, and the next one has the new.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from contract import bundle
from contract.bundle import Contents
from contract.errors import Refused
from contract.status import Fallback
from edge.infer.runtime import NoRuntime, NotAModel
from edge.look.bundle.loading import Loader, Opened
from edge.look.bundle.trial import TrialFailed

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 2.0
"""Time between two looks at the folder."""

CALM_SECONDS: Final = 600.0
"""Longest time that a bundle that is ready waits for calm."""

Identity = tuple[tuple[str, tuple[int, int, int]], ...]
"""Name, inode, time of change and size of every file of a folder."""


class BundleUpdate:
    """The bundle in use, and the next one."""

    def __init__(
        self,
        loader: Loader,
        opened: Opened,
        wait: Callable[[float], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`wait` waits for so many seconds, and says whether the work is over."""
        self._loader, self._wait, self._clock = loader, wait, clock
        self._contents, self._fallback, self._refused = opened.contents, opened.fallback, opened.refused
        self._is_proven = False
        self._lock = threading.Lock()
        self._next: Opened | None = None
        self._next_at = 0.0
        self._identity: Identity = ()
        self._thread = threading.Thread(target=self._watch, name="bundle", daemon=True)

    def start(self) -> None:
        """Watch the folder from now on."""
        self._thread.start()

    @property
    def fallbacks(self) -> tuple[Fallback, ...]:
        """What is not used, where the configured bundle is not."""
        with self._lock:
            return () if self._fallback is None else (self._fallback,)

    def take(self, *, calm: bool) -> Opened | None:
        """Return the next bundle, once, where one is ready; it counts as in use from then on.

        While no calm is before the camera it waits, up to `CALM_SECONDS`: with another bundle a danger begins anew.
        """
        with self._lock:
            if self._next is None or not (calm or self._clock() - self._next_at >= CALM_SECONDS):
                return None
            found, self._next = self._next, None
            self._contents, self._is_proven, self._fallback = found.contents, False, None
        return found

    def works(self) -> None:
        """Keep the bundle in use as the last good one; called when it has worked for a while, costs nothing again."""
        with self._lock:
            contents, is_proven, self._is_proven = self._contents, self._is_proven, True
        if not is_proven:
            threading.Thread(target=self._loader.copy.keep, args=(contents,), name="keep").start()

    def look(self) -> None:
        """Look once whether another bundle is there, and prepare it where it is."""
        identity = _identity(self._loader.folder)
        if identity == self._identity:
            return
        self._identity = identity
        try:
            contents = bundle.read(self._loader.folder)
        except Refused as error:
            self._refuse(error.detail)
            return
        with self._lock:
            in_use, refused = self._contents.digest, self._refused
            if contents.digest == in_use:
                self._fallback, self._next, self._refused = None, None, ""
        if contents.digest not in (in_use, refused):
            self._prepare(contents)

    def _prepare(self, contents: Contents) -> None:
        try:
            self._loader.prove(contents)
            opened = Opened(self._loader.load(contents), contents, None)
        except (TrialFailed, Refused, NotAModel, NoRuntime) as error:
            self._refuse(error.detail if isinstance(error, Refused) else str(error), digest=contents.digest)
            return
        with self._lock:
            self._next, self._next_at = opened, self._clock()
        log.info("bundle ready", extra={"model": contents.manifest.model})

    def _refuse(self, reason: str, *, digest: str = "") -> None:
        """Go on with the bundle in use, and say why."""
        made = self._loader.fallback(reason)
        with self._lock:
            is_news = self._fallback is None or self._fallback.reason != made.reason
            if is_news:
                self._fallback = made
            self._refused = digest
        if is_news:
            log.error("bundle not used", extra={"reason": reason, "instead": self._contents.manifest.model})

    def _watch(self) -> None:
        while not self._wait(POLL_SECONDS):
            self.look()


def _identity(folder: Path) -> Identity:
    """Return what changes when another file comes to be there; empty where there is none."""
    try:
        return tuple(sorted((file.name, _of(file.stat())) for file in folder.iterdir()))
    except OSError:
        return ()


def _of(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ino, found.st_mtime_ns, found.st_size
