"""The repository of model packages: a folder of signed files (The Update Framework, specification 1.0).

`root` says whose signatures count and is signed by keys that lie elsewhere. `targets` lists the packages, `snapshot`
the current lists, and `timestamp`, which expires soon, the current snapshot. Files are never changed, but for
`timestamp.json`, and that is written last: a reader sees the state before or the one after.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from broker.config.errors import Misconfigured
from broker.ingest.rollout import keys
from contract import package
from contract.errors import Refused
from foundation import whole_file
from foundation.errors import from_os_error

EXPIRY: Final = {
    "root": timedelta(days=730),
    "targets": timedelta(days=365),
    "snapshot": timedelta(days=90),
    "timestamp": timedelta(days=30),
}
"""How long a signature counts. A device that is shown no timestamp of the last 30 days takes no update at all."""

KEYS, METADATA, TARGETS = "keys", "metadata", "targets"


@dataclass(frozen=True, slots=True)
class Listed:
    """One package of the signed list."""

    target: str
    length: int
    model: str
    device_class: str


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository in a folder: `metadata` and `targets` are public, `keys` are not."""

    folder: Path

    @property
    def root(self) -> bytes:
        """The newest root, as devices get it."""
        return self._newest("root").read_bytes()

    def packages(self) -> tuple[Listed, ...]:
        """Return the packages of the signed list; raises `Misconfigured` where there is no repository."""
        listed = self._read("targets", Targets).targets
        return tuple(
            Listed(target, file.length, str(about.get("model", "")), str(about.get("device_class", "")))
            for target, file in listed.items()
            for about in [file.unrecognized_fields.get("custom", {})]
        )

    def expiries(self) -> dict[str, datetime]:
        """Return until when the signature of each role counts."""
        kinds: dict[str, Any] = {"root": Root, "targets": Targets, "snapshot": Snapshot, "timestamp": Timestamp}
        return {role: self._read(role, kind).expires for role, kind in kinds.items()}

    def add(self, bundle: Path, device_class: str, *, now: datetime) -> Listed:
        """Sign for a bundle's package and publish it.

        Raises `Misconfigured` where the bundle is not whole, or another of this name and version is published.
        """
        with self._locked(), TemporaryDirectory(dir=self.folder) as scratch:
            draft = Path(scratch) / "package.tar"
            try:
                read = package.pack(bundle, draft)
            except Refused as error:
                raise Misconfigured(error.detail) from error
            except OSError as error:
                raise from_os_error(error, str(bundle)) from error
            file = TargetFile.from_file(read.target(device_class), str(draft), ["sha256"])
            file.unrecognized_fields["custom"] = {"model": read.model, "device_class": device_class}
            listed = self._read("targets", Targets)
            known = listed.targets.get(file.path)
            if known is not None and known.hashes != file.hashes:
                raise Misconfigured(
                    f"{read.model}: another bundle of this name and version is published, and devices may have it;"
                    " give the new one a higher version"
                )
            self._place(draft, file)
            if known is None:
                listed.targets[file.path] = file
                self._publish(listed, now=now)
        return Listed(file.path, file.length, read.model, device_class)

    def remove(self, target: str, *, now: datetime) -> None:
        """Take a package off the signed list; raises `Misconfigured` where it is not on it."""
        with self._locked():
            listed = self._read("targets", Targets)
            if listed.targets.pop(target, None) is None:
                raise Misconfigured(f"{target}: is not published")
            self._publish(listed, now=now)

    def refresh(self, *, now: datetime) -> tuple[str, ...]:
        """Sign the timestamp anew, and what else has less than half its time left; returns the roles."""
        with self._locked():
            listed, snapshot = self._read("targets", Targets), self._read("snapshot", Snapshot)
            if listed.expires - now < EXPIRY["targets"] / 2:
                self._publish(listed, now=now)
                return ("targets", "snapshot", "timestamp")
            if snapshot.expires - now < EXPIRY["snapshot"] / 2:
                self._publish_snapshot(listed.version, now=now)
                return ("snapshot", "timestamp")
            self._publish_timestamp(snapshot.version, now=now)
            return ("timestamp",)

    def rotate(self, role: str, root_keys: Path, *, now: datetime) -> int:
        """Replace the key of a role by a new one, and renew the root; returns the root's new version.

        For `root`, the new key is made beside the old one, both sign, and the old one counts no more. Raises
        `Misconfigured` where `root_keys` has too few of the keys that count.
        """
        with self._locked():
            root = self._read("root", Root)
            old = [
                (path, one) for path, one in keys.all_in(root_keys) if one.public_key.keyid in root.roles["root"].keyids
            ]
            if len(old) < root.roles["root"].threshold:
                raise Misconfigured(f"{root_keys}: holds no root key that counts for this repository")
            signers = [one for _, one in old]
            new = self._new_key(role, root_keys, root.version + 1)
            for keyid in list(root.roles[role].keyids):
                root.revoke_key(keyid, role)
            root.add_key(new.public_key, role)
            root.version += 1
            self._publish_root(root, [*signers, *([new] if role == keys.ROOT else [])], now=now)
            if role == keys.ROOT:
                for path, _ in old:
                    path.rename(path.with_suffix(".retired"))
            else:
                self._put_in_place(role)
                self._publish(self._read("targets", Targets), now=now)
            return int(root.version)

    def renew_root(self, root_keys: Path, *, now: datetime) -> int:
        """Sign the root anew with the same keys, before it expires; returns its new version."""
        with self._locked():
            root = self._read("root", Root)
            signers = [one for _, one in keys.all_in(root_keys) if one.public_key.keyid in root.roles["root"].keyids]
            if len(signers) < root.roles["root"].threshold:
                raise Misconfigured(f"{root_keys}: holds no root key that counts for this repository")
            root.version += 1
            self._publish_root(root, signers, now=now)
            return int(root.version)

    def _new_key(self, role: str, root_keys: Path, version: int) -> CryptoSigner:
        if role == keys.ROOT:
            return keys.make(root_keys, f"{keys.ROOT}-{version}")
        (self.folder / KEYS / f"{role}-next{keys.SUFFIX}").unlink(missing_ok=True)
        return keys.make(self.folder / KEYS, f"{role}-next")

    def _put_in_place(self, role: str) -> None:
        (self.folder / KEYS / f"{role}-next{keys.SUFFIX}").replace(self.folder / KEYS / f"{role}{keys.SUFFIX}")

    def _publish(self, listed: Targets, *, now: datetime) -> None:
        listed.version += 1
        listed.expires = now + EXPIRY["targets"]
        self._sign(f"{listed.version}.targets", listed, "targets")
        self._publish_snapshot(listed.version, now=now)

    def _publish_snapshot(self, targets_version: int, *, now: datetime) -> None:
        snapshot = self._read("snapshot", Snapshot)
        snapshot.version += 1
        snapshot.expires = now + EXPIRY["snapshot"]
        snapshot.meta["targets.json"] = MetaFile(targets_version)
        self._sign(f"{snapshot.version}.snapshot", snapshot, "snapshot")
        self._publish_timestamp(snapshot.version, now=now)

    def _publish_timestamp(self, snapshot_version: int, *, now: datetime) -> None:
        timestamp = self._read("timestamp", Timestamp)
        timestamp.version += 1
        timestamp.expires = now + EXPIRY["timestamp"]
        timestamp.snapshot_meta = MetaFile(snapshot_version)
        self._sign("timestamp", timestamp, "timestamp")

    def _publish_root(self, root: Root, signers: Sequence[CryptoSigner], *, now: datetime) -> None:
        root.expires = now + EXPIRY["root"]
        self._write(f"{root.version}.root", Metadata(root), signers)

    def _sign(self, name: str, signed: Targets | Snapshot | Timestamp, role: str) -> None:
        self._write(name, Metadata(signed), [keys.load(self.folder / KEYS / f"{role}{keys.SUFFIX}")])

    def _write(self, name: str, metadata: Metadata[Any], signers: Sequence[CryptoSigner]) -> None:
        for signer in signers:
            metadata.sign(signer, append=True)
        path = self.folder / METADATA / f"{name}.json"
        try:
            whole_file.write(path, metadata.to_bytes())
        except OSError as error:
            raise from_os_error(error, str(path)) from error

    def _place(self, draft: Path, file: TargetFile) -> None:
        path = self.folder / TARGETS / file.get_prefixed_paths()[0]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("rb") as written:
                os.fsync(written.fileno())
            shutil.move(draft, path)
            path.chmod(0o644)
        except OSError as error:
            raise from_os_error(error, str(path)) from error

    def _read(self, role: str, kind: type[Any]) -> Any:
        path = self._newest(role)
        try:
            return Metadata[kind].from_bytes(path.read_bytes()).signed  # type: ignore[valid-type]
        except OSError as error:
            raise from_os_error(error, str(path)) from error
        except (DeserializationError, RepositoryError) as error:
            raise Misconfigured(f"{path}: is not what `wordcam-broker models` writes") from error

    def _newest(self, role: str) -> Path:
        folder = self.folder / METADATA
        if role == "timestamp":
            return folder / "timestamp.json"
        found = [path for path in folder.glob(f"*.{role}.json") if path.name.split(".")[0].isdigit()]
        if not found:
            raise Misconfigured(
                f"{self.folder}: no repository of models is there; `wordcam-broker models init` makes it"
            )
        return max(found, key=lambda path: int(path.name.split(".")[0]))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes from changing the folder meanwhile."""
        self._newest("root")
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def create(folder: Path, root_keys: Path, *, now: datetime) -> Repository:
    """Make an empty repository and its keys; raises `Misconfigured` where one is there already."""
    if (folder / METADATA).exists():
        raise Misconfigured(f"{folder}: there is a repository already, and devices that trust it")
    made = Repository(folder)
    root_key = keys.make(root_keys, f"{keys.ROOT}-1")
    root = Root(version=1, expires=now + EXPIRY["root"], consistent_snapshot=True)
    root.add_key(root_key.public_key, keys.ROOT)
    for role in keys.ONLINE:
        root.add_key(keys.make(folder / KEYS, role).public_key, role)
    (folder / KEYS).chmod(0o700)
    for name in (METADATA, TARGETS):
        try:
            (folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise from_os_error(error, str(folder / name)) from error
    made._publish_root(root, [root_key], now=now)
    made._sign("1.targets", Targets(version=1, expires=now + EXPIRY["targets"]), "targets")
    made._sign("1.snapshot", Snapshot(version=1, expires=now + EXPIRY["snapshot"]), "snapshot")
    made._sign("timestamp", Timestamp(version=1, expires=now + EXPIRY["timestamp"]), "timestamp")
    return made
