"""Somebody who publishes models, and a device that is offered them: both with their real code, on a real web server."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from broker.ingest.rollout import repository
from broker.ingest.rollout.repository import Repository
from contract import bundle, examples
from contract.update import Progress, Reason, Update
from edge import config
from edge.update.fetcher import PATIENT, Patience
from edge.update.installed import Installed
from edge.update.step import Step

RUNNING = "wordcam-1@1.0.0"

IMPATIENT = Patience(silence_seconds=5, grace_seconds=0.5, bytes_per_second=10_000)


def make_bundle(folder: Path, version: str = "1.1.0", **changes: object) -> Path:
    """Write a bundle whose files are as their manifest says, and no models."""
    folder.mkdir(parents=True)
    files: dict[bundle.Role, bundle.File] = {}
    for role in bundle.REQUIRED:
        path = folder / f"{role}.bin"
        path.write_bytes(f"{role} {version}".encode() * 2000)
        files[role] = bundle.describe(path)
    manifest = msgspec.structs.replace(examples.MANIFEST, version=version, files=files, detection=None, **changes)
    bundle.write(folder, manifest)
    return folder


@dataclass
class Site:
    """A repository with version 1.1.0 in it, below the folder that is served."""

    folder: Path
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.repository = repository.create(self.served, self.root_keys, now=self.now)
        self.target = self.publish("1.1.0")

    @property
    def served(self) -> Path:
        return self.folder / "models"

    @property
    def root_keys(self) -> Path:
        return self.folder / "safe"

    def publish(self, version: str, device_class: str = "standard") -> str:
        made = make_bundle(self.folder / f"bundle-{device_class}-{version}", version)
        return self.repository.add(made, device_class, now=self.now).target

    def metadata(self) -> dict[str, bytes]:
        """Return the signed lists as they are now."""
        return {path.name: path.read_bytes() for path in (self.served / repository.METADATA).iterdir()}

    def put(self, *lists: dict[str, bytes]) -> None:
        """Serve these lists, the later of the same name, and no others."""
        folder = self.served / repository.METADATA
        for path in folder.iterdir():
            path.unlink()
        for one in lists:
            for name, content in one.items():
                (folder / name).write_bytes(content)

    def later(self, days: float) -> "Repository":
        """Return the repository; what is signed from now on is signed so many days from now."""
        self.now += timedelta(days=days)
        return self.repository


@dataclass
class Device:
    """A device that trusts a site's first root."""

    folder: Path
    url: str
    root: bytes
    running: str = RUNNING
    device_class: str = "standard"
    patience: Patience = PATIENT
    said: list[Update] = field(default_factory=list)
    tls: config.Tls | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "root.json").write_bytes(self.root)
        self.installed = Installed(self.folder / "models", make_bundle(self.folder / "first", "1.0.0"))
        self.installed.ensure()

    def take(self, target: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Update:
        """Try to take a package."""
        settings = config.Updates(url=self.url, root_file=self.folder / "root.json", device_class=self.device_class)
        step = Step(settings, self.tls, self.installed, self.running, now, self.said.append, self.patience)
        return step.take(target)

    def why_not(self, target: str) -> tuple[Progress, Reason | None]:
        """Try to take a package, and return what is reported."""
        done = self.take(target)
        assert self.said[-1] == done
        return done.progress, done.reason

    @property
    def in_place(self) -> str:
        """The model that the process that looks would load now, checked whole."""
        return bundle.load(self.installed.current).model
