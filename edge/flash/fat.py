"""Files of a FAT file system inside an image, by mtools: nothing is mounted, and no privilege is needed."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from edge.errors import Misconfigured, TryAgain


def require_tools() -> None:
    """Raise `Misconfigured` where mtools is missing."""
    if shutil.which("mcopy") is None:
        raise Misconfigured("the programs of mtools are missing here (Debian: sudo apt install mtools)")


def read(image: Path, path: PurePosixPath, *, offset: int = 0) -> bytes | None:
    """Return a file of the file system that begins at `offset` bytes; None where it is not there."""
    done = _mtools("mtype", image, offset, f"::/{path}")
    return done.stdout if done.returncode == 0 else None


def write(image: Path, files: Mapping[PurePosixPath, bytes], *, offset: int = 0) -> None:
    """Write files, with the folders above them; raises `TryAgain` where they find no room."""
    for path, content in files.items():
        if path.parent != PurePosixPath() and _mtools("mdir", image, offset, f"::/{path.parent}").returncode != 0:
            _mtools("mmd", image, offset, f"::/{path.parent}")
        done = _mtools("mcopy", image, offset, "-o", "-", f"::/{path}", content=content)
        if done.returncode != 0 or read(image, path, offset=offset) != content:
            said = done.stderr.decode(errors="replace").strip()
            raise TryAgain(f"{image}: {path} cannot be written into its boot partition: {said}")


def _mtools(
    program: str, image: Path, offset: int, *words: str, content: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    # Partitions of other computers' images need not fit the geometry that mtools would like.
    environ = os.environ | {"MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C"}
    where = f"{image}@@{offset}" if offset else str(image)
    command = [program, "-i", where, *words]
    return subprocess.run(command, input=content, capture_output=True, env=environ, check=False)
