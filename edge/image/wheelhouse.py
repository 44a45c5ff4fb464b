"""The libraries of the image: wheels for its processor and Python, pinned by hash and unpacked."""

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path
from typing import Final

from edge.errors import Misconfigured, TryAgain
from edge.image import recipe

GLIBC: Final = (17, 24, 26, 27, 28, 31, 34)
"""Minor versions of glibc for which wheels are made; the suite has a newer one."""

UNWANTED: Final = re.compile(
    r"^(numpy/f2py|pycparser|cffi|tqdm|google)/|(^|/)(tests?|testing/tests|docs|examples|include)/|\.(pyi|h|pxd|c|lib|a)$"
)
"""What no program imports."""

_KEPT: Final = re.compile(r"\.dist-info/")

_PIN: Final = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?P<hashes>( +--hash=sha256:[0-9a-f]{64})+)$")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel and what it says of itself."""

    name: str
    version: str
    licence: str
    path: Path


def pins(text: str) -> dict[str, str]:
    """Return name and version of every pinned wheel; raises `ValueError` for a line without hash."""
    found = {}
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            pin = _PIN.match(line.strip())
            if pin is None:
                raise ValueError(f"not NAME==VERSION --hash=sha256:...: {line}")
            found[pin["name"]] = pin["version"]
    return found


def fetch(wheels: Path, to: Path, *, machine: str = "aarch64", python: str = recipe.PYTHON) -> list[Wheel]:
    """Fetch pinned wheels that are not in a folder of their own yet; raises `Misconfigured` or `TryAgain`.

    `machine` is the processor as wheels call it, and `python` the version of Python.
    """
    try:
        wanted = pins(wheels.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{wheels}: {error}") from error
    to.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps", "--require-hashes"]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", python]
    command += ["--abi", f"cp{python.replace('.', '')}", "--abi", "abi3", "--abi", "none"]
    for platform in ("any", f"manylinux2014_{machine}", *(f"manylinux_2_{minor}_{machine}" for minor in GLIBC)):
        command += ["--platform", platform]
    done = subprocess.run(
        [*command, "--dest", str(to), "--requirement", str(wheels)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise TryAgain(f"pip cannot fetch the wheels of {wheels.name}: {done.stderr.strip()[-500:]}")
    return sorted(_chosen(to, wanted), key=lambda wheel: wheel.name)


def unpack(wheels: list[Wheel], to: Path) -> None:
    """Unpack wheels into a folder of libraries, without their scripts, tests and headers."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel.path) as archive:
            for member in archive.infolist():
                name = re.sub(r"^[^/]+\.data/(purelib|platlib)/", "", member.filename)
                is_unwanted = UNWANTED.search(name) and not _KEPT.search(name)
                if member.is_dir() or ".data/" in name or is_unwanted:
                    continue
                target = to / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(member))


def _chosen(folder: Path, wanted: dict[str, str]) -> Iterator[Wheel]:
    for path in folder.glob("*.whl"):
        wheel = _described(path)
        if wanted.get(_normal(wheel.name)) == wheel.version:
            yield wheel


def _described(path: Path) -> Wheel:
    with zipfile.ZipFile(path) as archive:
        name = next(one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        said = Parser().parsestr(archive.read(name).decode("utf-8", errors="replace"), headersonly=True)
    classified = [one.rpartition(" :: ")[2] for one in said.get_all("Classifier", []) if one.startswith("License ::")]
    licence = said.get("License-Expression") or " AND ".join(classified) or said.get("License", "")
    return Wheel(_normal(said["Name"]), said["Version"], licence.splitlines()[0] if licence else "", path)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
