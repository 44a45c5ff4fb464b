"""Builds what a release consists of into `dist/`: the wheel, a bill of materials for each service, the changes.

    python tools/release.py

The bill of materials (CycloneDX 1.6, JSON) lists the packages, with digests, that pip installs beside the wheel under
constraints.txt. Run by `make release`, in an environment that has cyclonedx-bom.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent

DIST: Final = ROOT / "dist"

SERVICES: Final = {"edge": "edge", "broker": "broker,postgresql", "workstation": "trainer,converter"}
"""Extras of each bill of materials."""


def main() -> int:
    """Build everything anew; returns 0, or the exit code of the program that failed."""
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    try:
        wheel = build_wheel()
        version = wheel.name.split("-")[1]
        (DIST / f"CHANGES-{version}.md").write_text(changes(version), encoding="utf-8")
        for service, extras in SERVICES.items():
            write_bill(wheel, extras, DIST / f"wordcam-{version}-{service}.cdx.json")
    except subprocess.CalledProcessError as error:
        return error.returncode
    print(*sorted(str(path.relative_to(ROOT)) for path in DIST.iterdir()), sep="\n")
    return 0


def build_wheel() -> Path:
    """Build the wheel; the same commit gives the same bytes, because all times are the commit's."""
    time = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True)
    environ = os.environ | {"SOURCE_DATE_EPOCH": time.stdout.strip()}
    _pip("wheel", "--quiet", "--no-deps", "--wheel-dir", str(DIST), str(ROOT), environ=environ)
    return next(DIST.glob("*.whl"))


def changes(version: str) -> str:
    """Return the section of a version in CHANGELOG.md, without its heading; raises `ValueError` where there is none."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## \[{re.escape(version)}\].*\n(?P<section>(?:(?!## \[).*\n)*)", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"CHANGELOG.md has no section [{version}]")
    return found["section"].strip() + "\n"


def write_bill(wheel: Path, extras: str, to: Path) -> None:
    """Write the bill of materials of the wheel with some of its extras."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        what = ("--constraint", str(ROOT / "constraints.txt"), f"{wheel}[{extras}]")
        _pip("install", "--quiet", "--dry-run", "--ignore-installed", "--report", str(report), *what)
        requirements = Path(folder) / "requirements.txt"
        lines = pinned(json.loads(report.read_text(encoding="utf-8")))
        requirements.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", "--output-reproducible"]
        command += ["--pyproject", str(_pyproject(Path(folder), wheel)), "--output-file", str(to), str(requirements)]
        subprocess.run(command, check=True)


def pinned(report: dict[str, Any]) -> Iterator[str]:
    """Yield what pip would install, each with its version and digest, except the wheel itself."""
    for package in sorted(report["install"], key=lambda one: str(one["metadata"]["name"]).lower()):
        name, version = package["metadata"]["name"], package["metadata"]["version"]
        if name == "wordcam":
            continue
        digest = package["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
        yield f"{name}=={version}" + (f" --hash=sha256:{digest}" if digest else "")


def _pyproject(folder: Path, wheel: Path) -> Path:
    """Write the name, version and licence that stand in the bill: pyproject.toml reads its version elsewhere."""
    path = folder / "pyproject.toml"
    path.write_text(
        f'[project]\nname = "wordcam"\nversion = "{wheel.name.split("-")[1]}"\n'
        'description = "A camera that sends words instead of video."\n'
        'license = "Apache-2.0 AND LicenseRef-wordcam-1-research-only"\n',
        encoding="utf-8",
    )
    return path


def _pip(*words: str, environ: dict[str, str] | None = None) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *words]
    subprocess.run(command, check=True, env=environ)


if __name__ == "__main__":
    sys.exit(main())
