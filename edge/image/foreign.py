"""Runs programs of the image on this machine, by qemu-user where its processor is another."""

import os
import subprocess
from pathlib import Path

from edge.errors import TryAgain

QEMU = "qemu-aarch64-static"


def run(root: Path, program: str, *words: str, name: str | None = None, environ: dict[str, str] | None = None) -> None:
    """Run `program`, a path inside `root`, whose libraries are those of `root`; raises `TryAgain` where it fails.

    Paths among `words` are those of this machine.
    """
    command = [QEMU, "-L", str(root), *(["-0", name] if name else []), str(root / program), *words]
    variables = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"} | (environ or {})
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False)
    if done.returncode != 0:
        raise TryAgain(f"{program} of the image failed: {done.stderr.strip()[-500:]}")


def compile_python(root: Path, folder: Path, *, python: str, inside: str) -> None:
    """Compile Python files for a read-only root; `inside` is what `folder` is called in the image.

    Nobody compares these files with their sources again: the same sources give the same bytes.
    """
    words = ["-q", "-j1", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", inside, str(folder)]
    run(
        root,
        f"usr/bin/python{python}",
        "-m",
        "compileall",
        *words,
        environ={"PYTHONHOME": str(root / "usr"), "PYTHONDONTWRITEBYTECODE": "1"},
    )
