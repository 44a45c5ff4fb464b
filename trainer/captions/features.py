"""The cells that the device's own encoder makes of images, kept on disk; a killed run goes on.

Dimensions: M images, N cells, D numbers a cell.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from rich.progress import track

from edge.infer import image
from edge.infer.captioner import Captioner
from trainer.data.example import CaptionExample
from trainer.errors import CheckpointError, DataError

Cells = npt.NDArray[np.float16]

SAVED_EVERY: Final = 500
"""Images after which progress is noted."""


class Progress(msgspec.Struct, frozen=True):
    """What is encoded so far."""

    key: str
    """Digest of the encoder and the list of images."""
    done: int


class Rows:
    """Rows of several arrays as if they were one array [M, N, D], read only where they are asked for."""

    def __init__(self, parts: Sequence[Cells]) -> None:
        """Take arrays [m, N, D] that follow each other."""
        self._parts = parts
        self._starts = np.cumsum([0, *(len(part) for part in parts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def shape(self) -> tuple[int, ...]:
        """[M, N, D]."""
        return (len(self), *self._parts[0].shape[1:])

    def __getitem__(self, at: int | Sequence[int] | slice) -> Cells:
        if isinstance(at, slice):
            return np.stack([self[row] for row in range(*at.indices(len(self)))])
        if not isinstance(at, int | np.integer):
            return np.stack([self[row] for row in at])
        part = int(np.searchsorted(self._starts, at, side="right")) - 1
        found: Cells = self._parts[part][at - self._starts[part]]
        return found


def encode(path: Path, examples: Sequence[CaptionExample], captioner: Captioner, *, mirrored: bool = False) -> Cells:
    """Return the cells of images as the device sees them, from disk as far as they are there: [M, N, D], memory-mapped.

    Raises `DataError` for an image that cannot be read, `CheckpointError` where the file is of other images.
    """
    key = _key(examples, captioner, mirrored=mirrored)
    noted = path.with_suffix(".json")
    progress = _progress(noted, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (len(examples), *captioner.encode(_blank(captioner)).cells.shape[1:])
    mode = "r+" if progress.done else "w+"
    cells = np.lib.format.open_memmap(path, mode, np.float16, None if progress.done else shape)
    left = range(progress.done, len(examples))
    for at in track(left, f"Encoding {path.stem}", disable=not left):
        cells[at] = captioner.encode(_pixels(examples[at].path, mirrored=mirrored)).cells[0]
        if (at + 1) % SAVED_EVERY == 0 or at + 1 == len(examples):
            cells.flush()
            noted.write_bytes(msgspec.json.encode(Progress(key, at + 1)))
    kept: Cells = np.load(path, mmap_mode="r")
    return kept


def pooled(cells: Rows | Cells) -> npt.NDArray[np.float32]:
    """Return the mean of each number over the cells, then its maximum: [M, N, D] -> [M, 2D]."""
    found = np.empty((len(cells), 2 * cells.shape[-1]), np.float32)
    for row in range(len(cells)):
        each = np.asarray(cells[row], np.float32)
        found[row] = np.concatenate([each.mean(0), each.max(0)])
    return found


def _pixels(path: Path, *, mirrored: bool) -> image.Picture:
    try:
        rgb = image.read(path)
    except image.Unreadable as error:
        raise DataError(str(error)) from error
    return np.ascontiguousarray(rgb[:, ::-1]) if mirrored else rgb


def _blank(captioner: Captioner) -> image.Picture:
    return np.zeros((captioner.manifest.input.height, captioner.manifest.input.width, 3), np.uint8)


def _key(examples: Sequence[CaptionExample], captioner: Captioner, *, mirrored: bool) -> str:
    listing = "\n".join(example.path.name for example in examples)
    parts = f"{captioner.manifest.files['encoder'].sha256}\n{mirrored}\n{listing}"
    return hashlib.sha256(parts.encode()).hexdigest()


def _progress(path: Path, key: str) -> Progress:
    if not path.exists():
        return Progress(key, 0)
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Progress)
    except msgspec.DecodeError as error:
        raise CheckpointError(f"{path}: {error}; remove it to encode the images again") from error
    if found.key != key:
        raise CheckpointError(f"{path}: features of another encoder or of other images; remove it to encode them again")
    return found
