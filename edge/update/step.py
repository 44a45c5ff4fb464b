"""One try to take what is offered: from the offer to a bundle that is in place, or a reason why not."""

import fcntl
import logging
import shutil
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from contract import bundle, package, update
from contract.errors import Refused
from contract.update import Progress, Reason, Update
from edge import config
from edge.errors import Misconfigured, TryAgain
from edge.update import outcome
from edge.update.fetcher import PATIENT, BoundedFetcher, Patience
from edge.update.installed import Installed
from edge.update.not_taken import NotTaken
from edge.update.repository import Package, Repository
from foundation.errors import from_os_error

log = logging.getLogger(__name__)

AGAIN: Final = frozenset({Reason.UNREACHABLE, Reason.TOO_SLOW, Reason.NO_SPACE})
"""Reasons that pass by themselves: the device waits, and goes on with what it has of the download."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a try needs to know."""

    settings: config.Updates
    tls: config.Tls | None
    installed: Installed
    running: str
    """Model in use, as captions name it; "" where none is yet."""
    now: Callable[[], datetime]
    note: Callable[[Update], None]
    """Takes down how far it is."""
    patience: Patience = PATIENT

    def take(self, target: str) -> Update:
        """Try to take a package; returns how far it came, which is also noted. Raises `TryAgain`, `Misconfigured`."""
        try:
            with self._alone():
                return self._said(self._take(target))
        except NotTaken as error:
            stage = Progress.WAITING if error.reason in AGAIN else Progress.REFUSED
            said = {"target": target, "reason": error.reason.value, "detail": error.detail}
            log.error("update not taken", extra=said)  # noqa: TRY400  # the detail says it
            return self._said(self._update(stage, target, error.reason, error.detail))
        except OSError as error:
            raise from_os_error(error, str(self.installed.folder)) from error

    def _take(self, target: str) -> Update:
        if update.model_as_captions_name_it(target) == self.running:
            return self._update(Progress.RUNNING, target)
        _require_newer(target, self.running)
        self._said(self._update(Progress.DOWNLOADING, target))
        repository = open_repository(self.settings, self.tls, self.installed.folder, self.patience)
        found = repository.find(target)
        self._require_meant_for_us(found)
        file = repository.download(found)
        self._install(found, file)
        file.unlink()
        log.info("update in place", extra={"target": target, "model": found.model})
        return self._update(Progress.TESTING, target)

    def _require_meant_for_us(self, found: Package) -> None:
        own = self.settings.device_class
        named = {found.device_class, found.target.partition("/")[0]}
        if named != {own}:
            raise NotTaken(Reason.DEVICE_CLASS, f"for {', '.join(sorted(named))}; this device is of class {own}")

    def _install(self, found: Package, file: Path) -> None:
        draft = self.installed.begin()
        try:
            package.unpack(file, draft)
            manifest = bundle.load(draft)
        except Refused as error:
            shutil.rmtree(draft, ignore_errors=True)
            file.unlink()
            raise NotTaken(Reason.NOT_A_BUNDLE, str(error)) from error
        signed = update.model_as_captions_name_it(found.target)
        if not manifest.model == found.model == signed:
            shutil.rmtree(draft, ignore_errors=True)
            file.unlink()
            raise NotTaken(Reason.NOT_A_BUNDLE, f"{signed} is signed for, the bundle says {manifest.model}")
        self.installed.switch(draft, manifest.model)

    def _update(self, progress: Progress, target: str, reason: Reason | None = None, detail: str = "") -> Update:
        return Update(
            device_class=self.settings.device_class,
            progress=progress,
            target=target,
            reason=reason,
            detail=outcome.detail(detail),
            at=self.now(),
        )

    def _said(self, progress: Update) -> Update:
        self.note(progress)
        return progress

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep a second process from updating meanwhile; raises `TryAgain` where one does already."""
        self.installed.folder.mkdir(parents=True, exist_ok=True)
        with (self.installed.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise TryAgain(
                    f"{self.installed.folder}: another process is updating; wait until it has ended"
                ) from error
            yield


def open_repository(
    settings: config.Updates, tls: config.Tls | None, folder: Path, patience: Patience = PATIENT
) -> Repository:
    """Return the configured repository, as this device believes it; raises `NotTaken`, `Misconfigured`, `OSError`."""
    try:
        root = settings.root_file.read_bytes()
    except OSError as error:
        raise from_os_error(error, f"updates.root_file: {settings.root_file}") from error
    return Repository(settings.url, root, folder, BoundedFetcher(_context(settings.url, tls), patience))


def _require_newer(target: str, running: str) -> None:
    """Raise `NotTaken` for a model that is older than the one in use; another name is another model."""
    name, version = update.model_of(target)
    running_name, _, text = running.partition("@")
    parts = text.split(".")
    if name == running_name and all(part.isdecimal() for part in parts) and version < tuple(map(int, parts)):
        raise NotTaken(Reason.OLDER_MODEL, f"{running} is in use; an older model comes under a higher version")


def _context(url: str, tls: config.Tls | None) -> ssl.SSLContext | None:
    """Trust the authority that certified the MQTT server, and the system's; show this device's certificate."""
    if not url.startswith("https:"):
        return None
    try:
        context = ssl.create_default_context()
        if tls is not None and tls.ca_file:
            context.load_verify_locations(str(tls.ca_file))
        if tls is not None and tls.cert_file:
            context.load_cert_chain(str(tls.cert_file), str(tls.key_file) if tls.key_file else None)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(f"`mqtt.tls`: {error.strerror or error}; its files serve the updates, too") from error
    return context
