"""Which pictures are looked at: listed, found in a folder, or drawn by seed."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

from converter.errors import Unusable

Item = TypeVar("Item")

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
"""File names taken from a folder; what OpenCV reads everywhere."""

NAMED: Final = 5
"""Missing files named in an error; the rest are counted."""


def listed(names: Sequence[str], folder: Path) -> list[Path]:
    """Return the paths of listed pictures, relative ones from `folder`; raises `Unusable` where files are missing."""
    paths = [folder / Path(name) for name in names]
    refuse_missing(paths)
    return paths


def inside(folder: Path) -> list[Path]:
    """Return every picture in a folder and below it, sorted; raises `Unusable` if the folder does not exist."""
    if not folder.is_dir():
        raise Unusable(f"{folder}: no such folder")
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def draw(items: Sequence[Item], count: int, seed: int) -> list[Item]:
    """Draw up to `count` without repeats, in their own order; the same arguments give the same draw."""
    if len(items) <= count:
        return list(items)
    chosen = sorted(random.Random(seed).sample(range(len(items)), count))  # noqa: S311  # repeatable, not secret
    return [items[at] for at in chosen]


def refuse_missing(paths: Sequence[Path]) -> None:
    """Raise `Unusable` naming the first missing files and counting them all."""
    missing = [path for path in paths if not path.is_file()]
    if missing:
        names = ", ".join(map(str, missing[:NAMED])) + (", …" if len(missing) > NAMED else "")
        raise Unusable(f"{len(missing)} of {len(paths)} pictures are missing: {names}")
