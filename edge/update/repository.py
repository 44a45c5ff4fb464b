"""The repository of packages as a device sees it: who signed, whether it is new enough, and what is in it (TUF 1.0)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tuf.api import exceptions as tuf_errors
from tuf.api.metadata import TargetFile
from tuf.ngclient import Updater, UpdaterConfig

from contract import package
from contract.update import Reason
from edge.update.fetcher import BoundedFetcher
from edge.update.not_taken import NotTaken

METADATA_FOLDER: Final = "metadata"
DOWNLOAD_FOLDER: Final = "download"

SPARE_BYTES: Final = 16 << 20
"""Left free on the disk after an update, for captions."""

LIMITS: Final = UpdaterConfig(
    max_root_rotations=64,
    max_delegations=1,
    root_max_length=64_000,
    timestamp_max_length=16_000,
    snapshot_max_length=64_000,
    targets_max_length=1_000_000,
)
"""Bytes of each list: several times what a repository of a thousand packages has."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that is signed for."""

    target: str
    length: int
    device_class: str
    model: str
    file: TargetFile


class Repository:
    """A repository, and what this device has seen of it. One process uses the folder at a time."""

    def __init__(self, url: str, root: bytes, folder: Path, fetcher: BoundedFetcher) -> None:
        """Trust `root` and what follows from it; raises `NotTaken`, `OSError`.

        The folder keeps the newest lists, so that none older than these is ever believed.
        """
        self._url, self._folder, self._fetcher = url.rstrip("/"), folder, fetcher
        metadata = folder / METADATA_FOLDER
        metadata.mkdir(parents=True, exist_ok=True)
        with _explained():
            self._updater = Updater(
                str(metadata), f"{self._url}/metadata", fetcher=fetcher, config=LIMITS, bootstrap=root
            )

    def refresh(self) -> None:
        """Fetch what is new of the signed lists; raises `NotTaken`, `OSError`."""
        with _explained():
            self._updater.refresh()

    def find(self, target: str) -> Package:
        """Return a package of the signed list, after fetching what is new of it; raises `NotTaken`, `OSError`."""
        with _explained():
            self._updater.refresh()
            file = self._updater.get_targetinfo(target)
        if file is None:
            raise NotTaken(Reason.NOT_SIGNED_FOR, f"{target} is not on the signed list")
        about = file.custom if isinstance(file.custom, dict) else {}
        if file.length > package.LARGEST_BYTES:
            raise NotTaken(Reason.TOO_LARGE, f"{target} has {file.length} bytes, at most {package.LARGEST_BYTES}")
        return Package(target, file.length, str(about.get("device_class", "")), str(about.get("model", "")), file)

    def download(self, wanted: Package) -> Path:
        """Fetch a package, going on where an earlier try ended, and check it; raises `NotTaken`, `OSError`."""
        part = self._folder / DOWNLOAD_FOLDER / f"{wanted.file.hashes.get('sha256', 'package')[:64]}.part"
        part.parent.mkdir(parents=True, exist_ok=True)
        for other in part.parent.iterdir():
            if other != part:
                other.unlink()
        if not part.exists() or part.stat().st_size < wanted.length:
            self._require_room(wanted.length)
            self._append(wanted, part)
        self._check(wanted, part)
        return part

    def _append(self, wanted: Package, part: Path) -> None:
        folder, _, name = self._path_of(wanted.file).rpartition("/")
        url = f"{self._url}/targets/{folder}/{name}"
        start = part.stat().st_size if part.exists() else 0
        with (
            _explained(),
            self._fetcher.opened(url, start=start) as blocks,
            part.open("r+b" if blocks.start else "wb") as file,
        ):
            file.seek(blocks.start)
            at = blocks.start
            for block in blocks.content:
                at += len(block)
                if at > wanted.length:
                    file.truncate(0)
                    raise NotTaken(Reason.TOO_LARGE, f"{url}: more than {wanted.length} bytes, which are signed for")
                file.write(block)
            file.flush()
            os.fsync(file.fileno())

    def _check(self, wanted: Package, part: Path) -> None:
        try:
            with part.open("rb") as file:
                wanted.file.verify_length_and_hashes(file)
        except tuf_errors.LengthOrHashMismatchError as error:
            part.unlink()
            raise NotTaken(Reason.ALTERED, f"{wanted.target}: {error}") from error

    def _require_room(self, length: int) -> None:
        # The package, and then its files beside it.
        needed, free = 2 * length + SPARE_BYTES, _free_bytes(self._folder)
        if free < needed:
            raise NotTaken(Reason.NO_SPACE, f"{free} bytes are free, {needed} are needed")

    @staticmethod
    def _path_of(file: TargetFile) -> str:
        return file.get_prefixed_paths()[0]


def _free_bytes(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


@contextmanager
def _explained() -> Iterator[None]:
    """Say by a `Reason` what the library found."""
    try:
        yield
    except tuf_errors.ExpiredMetadataError as error:
        raise NotTaken(Reason.EXPIRED, str(error)) from error
    except tuf_errors.BadVersionNumberError as error:
        raise NotTaken(Reason.OLD_METADATA, str(error)) from error
    except tuf_errors.LengthOrHashMismatchError as error:
        raise NotTaken(Reason.ALTERED, str(error)) from error
    except tuf_errors.RepositoryError as error:
        raise NotTaken(Reason.SIGNATURE, str(error)) from error
    except tuf_errors.DownloadLengthMismatchError as error:
        raise NotTaken(Reason.TOO_LARGE, str(error)) from error
    except tuf_errors.SlowRetrievalError as error:
        raise NotTaken(Reason.TOO_SLOW, str(error)) from error
    except tuf_errors.DownloadError as error:
        raise NotTaken(Reason.UNREACHABLE, str(error)) from error
