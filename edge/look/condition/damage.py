"""Measures what a picture shows of data that never arrived: filling, smears and blocks that belong elsewhere."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.infer.image import Picture

GREY: Final = 128
FILLED_STEP: Final = 2
"""What decoders write where data is missing: luminance 128 without colour."""

GREEN: Final = (0, 135, 0)
GREEN_STEP: Final = 24
"""The same of decoders that write zeros into luminance and colour, blue first."""

STEP: Final = 4
"""Every fourth pixel of every fourth row is looked at for these."""

REPEATED: Final = 0.98
STREAK: Final = 24
"""Share of a row that the row below repeats to the last bit, and grey levels that it spans, for it to be drawn on."""

DRAWN: Final = 0.1
"""Share of the other rows that may do so too."""

LEAST_TEXTURE: Final = 0.5
"""Grey levels that neighbours differ by at least, without which a picture is a drawing, and its blocks are its own."""

BLOCK: Final = 16
"""Pixels of a side of the blocks that H.264 and JPEG with halved colour decode one by one."""

LINES: Final = 8
"""Every eighth line is looked at for the edges of blocks."""

Grey = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Damage:
    """What one picture shows of missing data."""

    filled: float
    """Share of it that has exactly what decoders write in place of missing data, 0 to 1."""
    smeared: float
    """Share of its rows, one below the other, that are the row above drawn on, 0 to 1."""
    block_edges: float
    """Grey levels by which neighbours differ more across the edges of blocks than in their middle or elsewhere: strong
    compression alone shows edges in the middle of these blocks too."""
    block_ratio: float
    """The same as a ratio."""
    is_guessed: bool
    """Whether the decoder says that it guessed some of it."""


def measure(bgr: Picture, *, is_guessed: bool = False) -> Damage:
    """Measure a picture as it was decoded, uint8 [H, W, 3]."""
    green: Grey = bgr[:, :, 1].astype(np.int16)
    edges = [_edges(green[::LINES]), _edges(np.ascontiguousarray(green[:, ::LINES].T))]
    return Damage(
        filled=_filled(bgr),
        smeared=_smeared(bgr),
        block_edges=min(edge - other for edge, other in edges),
        block_ratio=min(edge / other if other >= LEAST_TEXTURE else 0.0 for edge, other in edges),
        is_guessed=is_guessed,
    )


def _filled(bgr: Picture) -> float:
    """Return the share of spots that hold a decoder's filling, as their right neighbours do."""
    spots = bgr[::STEP, :-1:STEP].astype(np.int16)
    same = (spots == bgr[::STEP, 1::STEP][:, : spots.shape[1]]).all(axis=2)
    grey = (np.abs(spots - GREY) <= FILLED_STEP).all(axis=2)
    green = (np.abs(spots - np.asarray(GREEN, np.int16)) <= (0, GREEN_STEP, 0)).all(axis=2)
    return float(np.mean(same & (grey | green))) if same.size else 0.0


def _smeared(bgr: Picture) -> float:
    """Return the share of rows, one below the other, that equal the one above to the last bit, and vary.

    In a drawing, rows repeat everywhere: where others do than those, or all, nothing is smeared.
    """
    rows = np.ascontiguousarray(bgr[:, ::BLOCK, 1])
    repeats = (np.mean(rows[1:] == rows[:-1], axis=1) >= REPEATED) & (np.ptp(rows[1:], axis=1) >= STREAK)
    ends = np.flatnonzero(np.diff(np.concatenate(([False], repeats, [False]))))
    longest = int(np.max(ends[1::2] - ends[::2], initial=0))
    others = len(repeats) - longest
    return longest / len(repeats) if others > 0 and int(repeats.sum()) - longest <= DRAWN * others else 0.0


def _edges(rows: Grey) -> tuple[float, float]:
    """Return the mean difference of neighbours in rows across the edges of blocks, and the largest of the others."""
    steps = np.abs(np.diff(rows, axis=1)).mean(axis=0)
    place = np.arange(len(steps)) % BLOCK
    if len(steps) < BLOCK:
        return 0.0, 0.0
    middle, is_edge = place == BLOCK // 2 - 1, place == BLOCK - 1
    return float(steps[is_edge].mean()), max(float(steps[middle].mean()), float(steps[~middle & ~is_edge].mean()))
