"""Tells a picture that stands still from a scene in which nothing moves, even where the camera writes the time into it.

A sensor's noise changes every part of every picture a little. A picture that stands still is encoded to the very same
values again and again, most of it, while the parts with the time in them change much.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Spots = NDArray[np.uint8]
"""Brightness of every fourth pixel of every fourth row, [h, w]."""

ROWS: Final = 8
COLUMNS: Final = 12
"""Tiles that a picture is divided into."""

FLAT: Final = 2.0
"""Standard deviation, in grey levels, below which a tile shows nothing that noise would change: black, or white."""

LEAST_TILES: Final = 12
"""So many tiles show something, or else only a picture that is the same altogether stands still."""

SAME: Final = 0.1
SAME_SHARE: Final = 0.4
"""Mean difference, in grey levels, of a tile that stands still, and the share of tiles that do: encoders write some of
the others anew. Of living scenes, noise of 0.3 grey levels leaves 0.12 of the tiles."""

OTHER: Final = 2.0
OTHER_SHARE: Final = 0.15
"""Mean difference of a tile in which something has changed, and the share of tiles that the time may take."""


def is_still(reference: Spots, spots: Spots) -> bool:
    """Whether two pictures are the same but for a clock."""
    if reference.shape != spots.shape:
        return False
    if np.array_equal(reference, spots):
        return True
    tiles, before = _tiles(spots), _tiles(reference)
    shows = before.std(axis=(1, 3)) >= FLAT
    if int(shows.sum()) < LEAST_TILES:
        return False
    changed = np.abs(tiles - before).mean(axis=(1, 3))[shows]
    return bool(np.mean(changed <= SAME) >= SAME_SHARE and np.mean(changed > OTHER) <= OTHER_SHARE)


def _tiles(spots: Spots) -> NDArray[np.float32]:
    """Divide a picture into tiles, [ROWS, h, COLUMNS, w]; what is left over at the right and below is left out."""
    height, width = spots.shape[0] // ROWS, spots.shape[1] // COLUMNS
    whole = spots[: height * ROWS, : width * COLUMNS].astype(np.float32)
    return whole.reshape(ROWS, height, COLUMNS, width)
