"""Finds pictures that are in train and in val under different names: the same bytes, or nearly the same look."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from trainer.data.quality.image_check import Facts

NEAR: Final = 10
"""Bits of 128 in which two looks may differ.

Between Flickr8k's own splits no two pictures differ in fewer than 16 bits, among 3,000 of COCO in fewer than 20;
frames of one scene mostly differ in 0 to 10.
"""

FLAT: Final = 16
"""Fewest bits a look must have set: a plain wall looks like every other."""


@dataclass(slots=True)
class Sight:
    """Digests and looks of a list of pictures; 32 bytes a picture."""

    digests: bytearray = field(default_factory=bytearray)
    looks: bytearray = field(default_factory=bytearray)

    def add(self, facts: Facts) -> None:
        """Add a picture; one that cannot be read or decoded is like no other."""
        self.digests += facts.digest or bytes(16)
        self.looks += facts.look or bytes(16)

    def digest_column(self) -> npt.NDArray[np.void]:
        """Give the digests [M]."""
        return np.frombuffer(self.digests, np.dtype((np.void, 16)))

    def look_column(self) -> npt.NDArray[np.uint64]:
        """Give the looks [M, 2]."""
        return np.frombuffer(self.looks, np.uint64).reshape(-1, 2)


def same(train: Sight, val: Sight) -> Iterator[tuple[int, int]]:
    """Yield (row in train, row in val) of pictures whose bytes are the same."""
    rows: dict[bytes, int] = {}
    for row, digest in enumerate(val.digest_column()):
        rows.setdefault(digest.tobytes(), row)
    rows.pop(bytes(16), None)
    for row, digest in enumerate(train.digest_column()):
        other = rows.get(digest.tobytes())
        if other is not None:
            yield row, other


def alike(train: Sight, val: Sight) -> Iterator[tuple[int, int]]:
    """Yield (row in train, row in val) for each picture of val that looks like one of train, with the most alike."""
    looks = train.look_column()
    telling = np.flatnonzero(_telling(looks))
    words = np.ascontiguousarray(looks[telling])
    if not len(words):
        return
    for row, look in enumerate(val.look_column()):
        if not _telling(look[None])[0]:
            continue
        differing = _bits(words ^ look)
        best = int(differing.argmin())
        if differing[best] <= NEAR:
            yield int(telling[best]), row


def _bits(looks: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Count the bits set in each look: [M, 2] -> [M], up to 128."""
    count: npt.NDArray[np.uint8] = np.bitwise_count(looks).sum(1, dtype=np.uint8)
    return count


def _telling(looks: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Say which looks [M, 2] are of more than a plain ground."""
    ones = _bits(looks)
    return (ones >= FLAT) & (ones <= 128 - FLAT)
