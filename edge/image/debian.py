"""The root of the image: Debian's packages unpacked, and finished without running one of their scripts."""

import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from edge.errors import TryAgain
from edge.image import foreign, recipe
from edge.image.recipe import Inputs

LICENCES: Final = "licences"
"""Folder beside a root: what every package says of its licence."""

_LICENCE: Final = re.compile(r"^License:[ \t]*(\S[^\n]*)$", re.MULTILINE)


class Package(msgspec.Struct, frozen=True):
    """A package of the image."""

    name: str
    version: str
    architecture: str
    sha256: str
    licences: tuple[str, ...]
    """As its copyright file names them; not always SPDX."""
    installed_kib: int


@dataclass(frozen=True, slots=True)
class Root:
    """A folder with the unpacked root, and what it consists of."""

    path: Path
    packages: tuple[Package, ...]
    licences: Path


def build(inputs: Inputs, to: Path) -> Root:
    """Unpack and finish the root in an empty folder; raises `TryAgain`."""
    root, licences = to / "root", to / LICENCES
    archive = to / "debian.tar"
    _fetch(inputs, archive)
    root.mkdir()
    with tarfile.open(archive) as packed:
        # Packages may own what they like; in the image all belongs to root.
        packed.extractall(root, filter=_without_devices)  # noqa: S202 - what mmdebstrap made
    archive.unlink()
    packages = tuple(sorted(_packages(root, licences), key=lambda package: package.name))
    (to / "packages.json").write_bytes(msgspec.json.encode(packages))
    _finish(root)
    return Root(root, packages, licences)


def load(folder: Path) -> Root:
    """Return a root that was built before."""
    packages = msgspec.json.decode((folder / "packages.json").read_bytes(), type=tuple[Package, ...])
    return Root(folder / "root", packages, folder / LICENCES)


def kernel_version(root: Path) -> str:
    """Return the version of the one kernel of a root."""
    return next((root / "usr/lib/modules").iterdir()).name


def _fetch(inputs: Inputs, archive: Path) -> None:
    command = ["mmdebstrap", "--quiet", "--variant=extract", "--skip=check/qemu,cleanup/apt"]
    command += [f"--architectures={recipe.ARCHITECTURE}", f"--include={','.join(recipe.PACKAGES)}"]
    command += ['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Check-Valid-Until "false"']
    command += ['--aptopt=Acquire::Retries "3"', "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg"]
    command += [f"--components={','.join(recipe.COMPONENTS)}", recipe.SUITE, str(archive)]
    command += [inputs.mirror] if inputs.mirror else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise TryAgain(f"mmdebstrap cannot fetch Debian's packages: {done.stderr.strip()[-800:]}")


def _without_devices(member: tarfile.TarInfo, _path: str) -> tarfile.TarInfo | None:
    if member.isdev() or member.name.startswith("./dev/"):
        return None
    member.mode &= 0o777  # no program of the image takes another's rights
    return member


def _packages(root: Path, licences: Path) -> Iterator[Package]:
    licences.mkdir()
    for deb in sorted((root / "var/cache/apt/archives").glob("*.deb")):
        fields = subprocess.run(
            ["dpkg-deb", "-f", str(deb), "Package", "Version", "Architecture", "Installed-Size"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        found = dict(line.split(": ", 1) for line in fields.splitlines())
        name = found["Package"]
        text = _copyright(root / "usr/share/doc" / name / "copyright")
        (licences / f"{name}.txt").write_text(text, encoding="utf-8")
        yield Package(
            name=name,
            version=found["Version"],
            architecture=found["Architecture"],
            sha256=sha256(deb.read_bytes()).hexdigest(),
            licences=tuple(sorted(set(_LICENCE.findall(text)))),
            installed_kib=int(found.get("Installed-Size", "0")),
        )


def _copyright(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return "(no copyright file; see the package of the same source)\n"


def _finish(root: Path) -> None:
    for pattern in recipe.UNWANTED:
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    shutil.rmtree(root / "var")
    _certificates(root)
    for folder in ("dev", "proc", "sys", "run", "tmp", "var", "boot/firmware", "root", "mnt"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    version = kernel_version(root)
    foreign.run(root, "usr/bin/kmod", "-b", str(root), version, name="depmod")
    library = root / f"usr/lib/python{recipe.PYTHON}"
    foreign.compile_python(root, library, python=recipe.PYTHON, inside=f"/usr/lib/python{recipe.PYTHON}")


def _certificates(root: Path) -> None:
    folder = root / "usr/share/ca-certificates"
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_bytes(b"".join(path.read_bytes() for path in sorted(folder.rglob("*.crt"))))
