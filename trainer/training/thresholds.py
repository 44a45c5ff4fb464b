"""Chooses how much evidence each danger needs, so that all of them together cry wolf no more often than is borne.

Dimensions: M images, H dangers.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from trainer.data.example import CaptionExample

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

LEAST: Final = 0.1
"""No limit lies lower, as a rule: less is not evidence."""

LEAST_OF_RARE: Final = 0.003
"""It may go down to this where no everyday image comes near it. Of two dozen images a classifier learns to be
unsure of new ones, and tuned for long it is sure of all others that they are none."""

NEAR: Final = 10.0
"""Times the evidence of every everyday image that a limit below `LEAST` must have."""

MOST: Final = 0.9999
"""No limit lies higher: a danger must remain sayable. A classifier that has learnt for long is sure of nearly all."""

DIGITS: Final = 6
"""Of a limit, as it is kept: those of a sure classifier differ in the last ones."""

HARMLESS: Final = "knife"
"""Evidence that raises no alarm: the knife on a set table, which is to be named and is not a danger."""

CALM_PART: Final = 0.25
"""Everyday images may be taken for a danger a quarter as often as peaceful scenes of the cameras themselves."""


def choose(
    found: Floats, examples: Sequence[CaptionExample], dangers: Sequence[str], false_positive_rate: float
) -> dict[str, float]:
    """Return each danger's limit, by which most of the scenes [M, H] are recognised within the share of false alarms.

    A limit goes down wherever that wins most true scenes for each false alarm, as long as at most
    `false_positive_rate` of the peaceful scenes, and `CALM_PART` of that of everyday images, exceed any limit; it ends
    midway to the next value.
    The knife on a set table is no danger: it is held to `false_positive_rate` by itself.
    """
    labels = np.array([example.label for example in examples])
    knife = dangers.index(HARMLESS) if HARMLESS in dangers else None
    judged = np.array([column for column in range(len(dangers)) if column != knife], int)
    groups = [(labels == "none", false_positive_rate), (labels == "", CALM_PART * false_positive_rate)]
    peaceful = [(found[rows][:, judged], share) for rows, share in groups if rows.any()]
    own = [found[labels == dangers[column], column] for column in judged]
    floors = np.array([_floor(found[labels == "", column]) for column in range(len(dangers))])
    limits = np.full(len(judged), MOST, np.float32)
    while best := max(_steps(limits, peaceful, own, floors[judged]), default=None):
        _, column, limit = best
        limits[column] = limit
    chosen = {dangers[column]: _midway(found[:, column], limits[at]) for at, column in enumerate(judged)}
    if knife is not None:
        chosen[HARMLESS] = np.quantile(found[labels != HARMLESS, knife], 1 - false_positive_rate)
    return {
        danger: round(float(np.clip(chosen[danger], floor, MOST)), DIGITS)
        for danger, floor in zip(dangers, floors, strict=True)
    }


def _floor(everyday: Floats) -> float:
    """Return how low a danger's limit may lie, by the evidence of everyday images."""
    return float(np.clip(NEAR * everyday.max(), LEAST_OF_RARE, LEAST)) if len(everyday) else LEAST


def _steps(
    limits: Floats, peaceful: Sequence[tuple[Floats, float]], own: Sequence[Floats], floors: Floats
) -> Iterator[tuple[float, int, float]]:
    """Yield (true scenes won for each false alarm, danger, its lower limit) of every step that is allowed."""
    before = sum(_alarmed(values, limits).sum() for values, _ in peaceful)
    for column, scenes in enumerate(own):
        for limit in np.unique(scenes[(scenes < limits[column]) & (scenes >= floors[column])])[::-1]:
            lower = limits.copy()
            lower[column] = limit
            alarmed = [_alarmed(values, lower) for values, _ in peaceful]
            if any(rows.mean() > share for rows, (_, share) in zip(alarmed, peaceful, strict=True)):
                break
            won = int((scenes >= limit).sum() - (scenes >= limits[column]).sum())
            yield won / (sum(rows.sum() for rows in alarmed) - before + 0.1), column, float(limit)


def _midway(values: Floats, limit: float) -> float:
    lower = values[values < limit]
    return float(limit + lower.max()) / 2 if limit < MOST and len(lower) else limit


def _alarmed(values: Floats, limits: Floats) -> Bools:
    return np.asarray((values >= limits).any(1))
