"""Finds images of val that train has under other names: duplicates by bytes, near duplicates by difference hash."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from trainer.data.quality.image_check import ImageFacts

NEAR: Final = 10
"""Bits of 128 in which the hashes of near duplicates may differ.

Between Flickr8k's own splits no two images differ in fewer than 16 bits, among 3,000 of COCO in fewer than 20;
frames of one scene mostly differ in 0 to 10.
"""

FLAT: Final = 16
"""Fewest bits that a hash must have set: plain walls all have nearly the same hash."""


@dataclass(slots=True)
class Fingerprints:
    """Digests and difference hashes of a list of images; 32 bytes an image."""

    digests: bytearray = field(default_factory=bytearray)
    dhashes: bytearray = field(default_factory=bytearray)

    def add(self, facts: ImageFacts) -> None:
        """Add an image; one that cannot be decoded matches none."""
        self.digests += facts.digest or bytes(16)
        self.dhashes += facts.dhash or bytes(16)

    def digest_column(self) -> npt.NDArray[np.void]:
        """Return the digests [M]."""
        return np.frombuffer(self.digests, np.dtype((np.void, 16)))

    def dhash_column(self) -> npt.NDArray[np.uint64]:
        """Return the difference hashes [M, 2]."""
        return np.frombuffer(self.dhashes, np.uint64).reshape(-1, 2)


def duplicates(train: Fingerprints, val: Fingerprints) -> Iterator[tuple[int, int]]:
    """Yield (row in train, row in val) of images whose bytes are the same."""
    rows: dict[bytes, int] = {}
    for row, digest in enumerate(val.digest_column()):
        rows.setdefault(digest.tobytes(), row)
    rows.pop(bytes(16), None)
    for row, digest in enumerate(train.digest_column()):
        other = rows.get(digest.tobytes())
        if other is not None:
            yield row, other


def near_duplicates(train: Fingerprints, val: Fingerprints) -> Iterator[tuple[int, int]]:
    """Yield (row in train, row in val) for each image of val that is a near duplicate, with the nearest of train."""
    dhashes = train.dhash_column()
    telling = np.flatnonzero(_telling(dhashes))
    words = np.ascontiguousarray(dhashes[telling])
    if not len(words):
        return
    for row, dhash in enumerate(val.dhash_column()):
        if not _telling(dhash[None])[0]:
            continue
        differing = _bits(words ^ dhash)
        best = int(differing.argmin())
        if differing[best] <= NEAR:
            yield int(telling[best]), row


def _bits(dhashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Return the number of bits set in each hash: [M, 2] -> [M], 0 to 128."""
    count: npt.NDArray[np.uint8] = np.bitwise_count(dhashes).sum(1, dtype=np.uint8)
    return count


def _telling(dhashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Return which hashes [M, 2] are of more than a plain surface: bool [M]."""
    ones = _bits(dhashes)
    return (ones >= FLAT) & (ones <= 128 - FLAT)
