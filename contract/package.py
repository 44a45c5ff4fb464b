"""A model bundle as it travels: one tar file (POSIX.1-2001, ustar), the same bytes for the same bundle everywhere.

It knows names, sizes and digests of the files, and nothing of what they mean: the server handles models unread.
"""

import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract import wire
from contract.errors import Refused

MANIFEST: Final = "manifest.json"

LARGEST_BYTES: Final = 512 << 20
"""Of a package, whatever is signed for it: a bundle of today has 12 MB."""

MOST_FILES: Final = 32

LARGEST_MANIFEST_BYTES: Final = 1 << 20

_COPY_BYTES: Final = 1 << 20

FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*" + wire.END, max_length=80)]


class Listed(msgspec.Struct, frozen=True):
    """One file, as far as a manifest of any version names it."""

    name: FileName
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}" + wire.END)]
    bytes: Annotated[int, Meta(ge=0, le=LARGEST_BYTES)]


class Summary(msgspec.Struct, frozen=True):
    """What a manifest says of its bundle as a whole; its other keys are passed over."""

    format: int
    name: Annotated[str, Meta(pattern=wire.NAME)]
    version: Annotated[str, Meta(pattern=r"^\d{1,6}\.\d{1,6}\.\d{1,6}" + wire.END)]
    files: Annotated[dict[str, Listed], Meta(min_length=1, max_length=MOST_FILES)]

    @property
    def model(self) -> str:
        """Name and version, as captions carry them."""
        return f"{self.name}@{self.version}"

    def target(self, device_class: str) -> str:
        """Return the name of its package in a repository."""
        return f"{device_class}/{self.name}-{self.version}.tar"


def summary(folder: Path) -> Summary:
    """Read a bundle's manifest, and check each file against it.

    Raises `Refused` ("missing-file", "too-large", "schema", "digest").
    """
    read = _read(_bytes(folder / MANIFEST), str(folder / MANIFEST))
    for file in read.files.values():
        found = hashlib.sha256(_bytes(folder / file.name)).hexdigest()
        if found != file.sha256:
            raise Refused("digest", f"{folder / file.name}: is not the file that {MANIFEST} names")
    return read


def pack(folder: Path, to: Path) -> Summary:
    """Write a bundle's package; the same bundle makes the same bytes. Raises as `summary`, and `OSError`."""
    read = summary(folder)
    with tarfile.open(to, "w", format=tarfile.USTAR_FORMAT) as package:
        for name in (MANIFEST, *sorted({file.name for file in read.files.values()})):
            path = folder / name
            about = tarfile.TarInfo(name)
            about.size, about.mode = path.stat().st_size, 0o644
            with path.open("rb") as file:
                package.addfile(about, file)
    return read


def unpack(package: Path, to: Path) -> Summary:
    """Write the files of a package into an empty folder.

    Only what the manifest, its first member, names is written, and only plain files of the size that it says: no
    folder, no link, nothing twice. Raises `Refused` ("schema", "too-large", "digest", "missing-file") and `OSError`.
    """
    try:
        with tarfile.open(package, "r:") as members:
            return _unpack(members, to)
    except (tarfile.TarError, EOFError, UnicodeError, ValueError) as error:
        raise Refused("schema", f"the package is not a tar file as `pack` writes it: {error}") from error


def _unpack(members: tarfile.TarFile, to: Path) -> Summary:
    plain = _plain_files(members)
    first = next(plain, None)
    if first is None or first.name != MANIFEST:
        raise Refused("schema", f"the package does not begin with {MANIFEST}")
    if first.size > LARGEST_MANIFEST_BYTES:
        raise Refused("too-large", f"{MANIFEST} of {first.size} bytes, at most {LARGEST_MANIFEST_BYTES} are allowed")
    read = _read(_content(members, first), MANIFEST)
    (to / MANIFEST).write_bytes(_content(members, first))
    wanted = {file.name: file for file in read.files.values()}
    for member in plain:
        listed = wanted.pop(member.name, None)
        if listed is None:
            raise Refused("schema", f"the package holds {member.name[:80]!r}, which {MANIFEST} does not name")
        if member.size != listed.bytes:
            raise Refused("digest", f"{member.name}: {member.size} bytes, {MANIFEST} says {listed.bytes}")
        _write(members, member, to / member.name, listed)
    if wanted:
        raise Refused("missing-file", f"the package lacks {min(wanted)}")
    return read


def _plain_files(members: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for count, member in enumerate(members):
        if count > MOST_FILES:
            raise Refused("too-large", f"the package holds more than {MOST_FILES} files")
        if not member.isreg() or member.issparse():
            raise Refused("schema", f"the package holds {member.name[:80]!r}, which is not a plain file")
        yield member


def _write(members: tarfile.TarFile, member: tarfile.TarInfo, path: Path, listed: Listed) -> None:
    digest, source = hashlib.sha256(), members.extractfile(member)
    if source is None:
        raise Refused("schema", f"{member.name}: cannot be read from the package")
    with path.open("xb") as file:
        while block := source.read(_COPY_BYTES):
            digest.update(block)
            file.write(block)
    if digest.hexdigest() != listed.sha256:
        raise Refused("digest", f"{member.name}: is not the file that {MANIFEST} names")


def _content(members: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    source = members.extractfile(member)
    return source.read() if source is not None else b""


def _read(text: bytes, where: str) -> Summary:
    if len(text) > LARGEST_MANIFEST_BYTES:
        raise Refused("too-large", f"{where}: {len(text)} bytes, at most {LARGEST_MANIFEST_BYTES} are allowed")
    try:
        return msgspec.json.decode(text, type=Summary)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("schema", f"{where}: {error}") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused("missing-file", f"{path}: {error.strerror}") from error
