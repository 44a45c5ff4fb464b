"""Advisories in the OSV format (ossf.github.io/osv-schema, 1.6), and which versions they are about."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from broker.config.errors import Misconfigured
from foundation.errors import from_os_error

Kind = TypeVar("Kind", bound=msgspec.Struct)

PROGRAMS: Final = "wordcam"
"""Name of the programs as a package of PyPI."""

LARGEST_BYTES: Final = 4 << 20
"""Of an advisory or a bill of materials."""

_VERSION: Final = re.compile(r"v?(\d+(?:\.\d+)*)[-._]?(?:(dev|a|alpha|b|beta|rc|c|post)[-._]?(\d*))?.*", re.IGNORECASE)

_PHASES: Final = {"dev": -4, "a": -3, "alpha": -3, "b": -2, "beta": -2, "rc": -1, "c": -1, "": 0, "post": 1}
"""Order of the phases of one release (PEP 440)."""


class Package(msgspec.Struct, frozen=True):
    """What an advisory is about: a package of PyPI, or a model by its name."""

    name: str
    ecosystem: str = ""


class Range(msgspec.Struct, frozen=True):
    """Affected versions: from each `introduced` to the `fixed` or `last_affected` that follows."""

    type: str
    events: tuple[dict[str, str], ...]


class Affected(msgspec.Struct, frozen=True):
    """Versions of one package."""

    package: Package
    ranges: tuple[Range, ...] = ()
    versions: tuple[str, ...] = ()

    def covers(self, version: str) -> bool:
        """Return whether a version is affected; ranges of commits say nothing of versions."""
        named = version in self.versions
        return named or any(_within(version, one.events) for one in self.ranges if one.type in ("ECOSYSTEM", "SEMVER"))


class Advisory(msgspec.Struct, frozen=True):
    """One vulnerability; fields that are not used here are passed over."""

    id: Annotated[str, Meta(min_length=1, max_length=80)]
    affected: tuple[Affected, ...] = ()
    summary: str = ""
    withdrawn: str = ""

    def fixed_in(self, name: str) -> str:
        """Return the versions that correct it in a package; "" where none is known."""
        events = (
            event for one in self.affected if one.package.name == name for part in one.ranges for event in part.events
        )
        return ", ".join(event["fixed"] for event in events if "fixed" in event)


@dataclass(frozen=True, slots=True)
class Installed:
    """One package on one machine."""

    where: str
    """`north-gate/pi-01`, or this server."""
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A machine that runs an affected version."""

    advisory: Advisory
    installed: Installed


class _Component(msgspec.Struct, frozen=True):
    name: str
    version: str = ""


class _Metadata(msgspec.Struct, frozen=True):
    component: _Component | None = None


class Bill(msgspec.Struct, frozen=True):
    """A bill of materials (CycloneDX, JSON) of one version of the programs."""

    components: tuple[_Component, ...] = ()
    metadata: _Metadata = _Metadata()

    @property
    def version(self) -> str:
        """The version of the programs that it is of; "" where it does not say."""
        parts = (*self.components, *([self.metadata.component] if self.metadata.component else []))
        return next((one.version for one in parts if one.name == PROGRAMS), "")


def read(paths: Iterable[Path]) -> list[Advisory]:
    """Read advisories, one of each file, and of folders all files `*.json`; raises `Misconfigured`, `TryAgain`."""
    files = [file for path in paths for file in (sorted(path.rglob("*.json")) if path.is_dir() else [path])]
    return [_read(file, Advisory) for file in files]


def read_bill(path: Path) -> Bill:
    """Read a bill of materials; raises `Misconfigured`, `TryAgain`."""
    found = _read(path, Bill)
    if not found.version:
        raise Misconfigured(f"{path}: names no {PROGRAMS}; `make sbom` writes one for each artefact")
    return found


def packages(where: str, version: str, model: str, bills: Mapping[str, Bill]) -> Iterator[Installed]:
    """Yield what is on a machine: the programs, the model, and, by the bill of that version, what they stand on."""
    if version:
        yield Installed(where, PROGRAMS, version)
    name, _, model_version = model.partition("@")
    if model_version:
        yield Installed(where, name, model_version)
    if version in bills:
        yield from (
            Installed(where, one.name, one.version) for one in bills[version].components if one.name != PROGRAMS
        )


def findings(advisories: Iterable[Advisory], installed: Iterable[Installed]) -> list[Finding]:
    """Return which machines are affected by what."""
    machines = list(installed)
    return [
        Finding(advisory, one)
        for advisory in advisories
        if not advisory.withdrawn
        for one in machines
        if any(_named(part.package.name) == _named(one.name) and part.covers(one.version) for part in advisory.affected)
    ]


def _named(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _within(version: str, events: Iterable[Mapping[str, str]]) -> bool:
    """Follow the events in the order of their versions, as the format's evaluation has it."""
    is_affected = False
    for kind, bound in sorted(
        ((kind, bound) for event in events for kind, bound in event.items()), key=lambda event: _key(event[1])
    ):
        after = _key(version) > _key(bound)
        if kind == "introduced" and (after or _key(version) == _key(bound)):
            is_affected = True
        elif (kind == "fixed" and (after or _key(version) == _key(bound))) or (kind == "last_affected" and after):
            is_affected = False
    return is_affected


def _key(version: str) -> tuple[tuple[int, ...], int, int]:
    """Return what versions are sorted by: their numbers without zeros at the end, then the phase."""
    found = _VERSION.fullmatch(version.strip())
    numbers, phase, count = found.groups() if found else ("0", "", "")
    parts = [int(part) for part in numbers.split(".")]
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts), _PHASES[(phase or "").lower()], int(count or 0)


def _read(path: Path, kind: type[Kind]) -> Kind:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise Misconfigured(f"{path}: more than {LARGEST_BYTES} bytes")
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise from_os_error(error, str(path)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Misconfigured(f"{path}: is not in the format that is expected here: {error}") from error
