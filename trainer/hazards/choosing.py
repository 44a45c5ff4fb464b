"""Chooses from which log-odds each danger counts, by places and sources that the classifier has not seen.

A threshold is not chosen by one budget for all pictures, which a source with many easy ones would fill, but so that no
source's calm pictures exceed theirs. Dimensions: M frames, H dangers.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from trainer.hazards.arrays import Bools, Floats, Ints, Names
from trainer.hazards.features import Example
from trainer.hazards.pictures import CALM, EVERYDAY
from trainer.hazards.recipe import DANGERS, Bounds, Source

FOLDS: Final = 4
"""Parts of the places that are each judged by a classifier that has not seen them."""

ALARMS: Final = ("armed", "fire", "smoke", "fight", "falling", "fallen")
"""Dangers that have a threshold; `gun` and `knife` share that of `armed`."""

LABELS: Final[Mapping[str, frozenset[str]]] = {
    "armed": frozenset({"gun", "knife", "weapon"}),
    **{danger: frozenset({danger}) for danger in ("fire", "smoke", "fight", "falling", "fallen")},
}
"""Labels of the pictures that should raise each."""

FEWEST: Final = 15
"""Calm pictures of a source from which it has a say."""

CONFIDENCE: Final = 0.95

DRAWS: Final = 1000
"""Draws of places."""

GRID: Final = 121
LOWEST: Final = 6.0
"""Log-odds below the threshold, and steps, in which one for cameras that know their calm is looked for."""


class Choice(msgspec.Struct, frozen=True):
    """What was chosen for one danger, and what came of it; shares are of frames whose places were not learnt from."""

    threshold: float
    """Log-odds of the classifier."""
    floor: float
    """The same at a camera that knows its own calm."""
    decided_by: str
    """The source whose calm pictures reach highest."""
    new_place: dict[str, float]
    """Right, by source, where the source was learnt from and the place was not."""
    new_source: dict[str, float]
    """Right, by source, where nothing of it was learnt from or chosen by."""
    new_place_interval: dict[str, tuple[float, float]]
    new_source_interval: dict[str, tuple[float, float]]
    """95 % intervals of these, by drawing places anew (Efron 1979)."""
    calm: dict[str, float]
    """False, by source."""


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames to choose by."""

    examples: Sequence[Example]
    known: Floats
    """How well it is known what they show: [M, H]."""
    new_place: Floats
    """Log-odds by a classifier that has not seen their place: [M, H]."""
    new_source: Floats
    """Log-odds by one that has not seen their source: [M, H]."""
    places: Names
    """Place of each: [M]."""

    @property
    def sources(self) -> Names:
        """Their sources: [M]."""
        return np.array([one.source for one in self.examples])


def fold(place: str) -> int:
    """Return the part of the places that one belongs to."""
    return int.from_bytes(hashlib.md5(place.encode(), usedforsecurity=False).digest()) % FOLDS


def calm(examples: Sequence[Example], sources: Mapping[str, Source]) -> Bools:
    """Return which pictures must raise no alarm: [M]."""
    return np.array([one.label in {CALM, EVERYDAY} or sources.get(one.source, Source()).calm for one in examples], bool)


def choose(frames: Frames, facts: Mapping[str, Source], bounds: Bounds) -> dict[str, Choice]:
    """Choose the threshold of every danger."""
    quiet = calm(frames.examples, facts)
    return {danger: _choose(frames, quiet, danger, bounds) for danger in ALARMS}


def _choose(frames: Frames, quiet: Bools, danger: str, bounds: Bounds) -> Choice:
    column, sources = DANGERS.index(danger), frames.sources
    rows = quiet & (frames.known[:, column] > 0)
    odds, foreign = frames.new_place[:, column], frames.new_source[:, column]
    highest = limits(odds[rows], sources[rows], bounds)
    if danger in bounds.foreign_share:
        unlike = foreign_limits(foreign[rows], sources[rows], bounds.foreign_share[danger])
        highest = {source: max(highest[source], value) for source, value in unlike.items()}
    decided_by = max(highest, key=highest.__getitem__)
    least = highest[decided_by]
    others = {
        source: max((value for name, value in highest.items() if name != source), default=least)
        for source in np.unique(sources)
    }
    shows = ~quiet & np.array([one.label in LABELS[danger] for one in frames.examples])
    names = [str(source) for source in np.unique(sources[shows])]
    right = {name: shows & (sources == name) for name in names}
    found = {name: odds[rows] >= least for name, rows in right.items()}
    unseen = {name: foreign[rows] >= others[name] for name, rows in right.items()}
    return Choice(
        threshold=least,
        floor=_floor(odds[rows], sources[rows], least, bounds.known_calm_share),
        decided_by=decided_by,
        new_place={name: _share(alarms) for name, alarms in found.items()},
        new_source={name: _share(alarms) for name, alarms in unseen.items()},
        new_place_interval={name: interval(alarms, frames.places[right[name]]) for name, alarms in found.items()},
        new_source_interval={name: interval(alarms, frames.places[right[name]]) for name, alarms in unseen.items()},
        calm={source: _share(odds[rows & (sources == source)] >= least) for source in np.unique(sources[rows])},
    )


def interval(alarmed: Bools, places: Names | Ints) -> tuple[float, float]:
    """Return the 95 % interval of a share [M] by drawing the places that it was found at anew."""
    _, place = np.unique(places, return_inverse=True)
    each, of = np.bincount(place, weights=alarmed), np.bincount(place)
    drawn = np.random.default_rng(1).integers(0, len(of), (DRAWS, len(of)))
    low, high = np.quantile(each[drawn].sum(1) / of[drawn].sum(1), [0.025, 0.975])
    return round(float(low), 3), round(float(high), 3)


def limits(odds: Floats, sources: Names, bounds: Bounds) -> dict[str, float]:
    """Return the least log-odds that each source's calm pictures [M] allow."""
    found = {}
    for source in np.unique(sources):
        values = np.sort(odds[sources == source])[::-1]
        if len(values) >= FEWEST:
            found[str(source)] = float(values[min(allowed(len(values), bounds), len(values) - 1)]) + 1e-4
    return found


def foreign_limits(odds: Floats, sources: Names, share: float) -> dict[str, float]:
    """Return the least log-odds that a share of each source's calm pictures [M] allows, without regard to chance."""
    return limits(odds, sources, Bounds(upper=0.0, share=share))


def allowed(of: int, bounds: Bounds) -> int:
    """Return how many of so many calm pictures of a source may raise a danger."""
    count = 0
    while upper_bound(count + 1, of) <= bounds.upper:
        count += 1
    return max(count, int(bounds.share * of))


def upper_bound(found: int, of: int) -> float:
    """Return the largest share at which so few would be found in one case of twenty (Clopper and Pearson 1934)."""
    if found >= of:
        return 1.0
    shares = np.linspace(found / of, 1, 4001)[1:-1]
    cases = np.arange(found + 1)[:, np.newaxis]
    ways = np.cumsum(np.log(of - cases[:-1, 0]) - np.log(cases[:-1, 0] + 1))
    counted = np.concatenate([[0.0], ways])[:, np.newaxis]
    at_most = np.exp(counted + cases * np.log(shares) + (of - cases) * np.log1p(-shares)).sum(0)
    beyond = np.flatnonzero(at_most <= 1 - CONFIDENCE)
    return float(shares[beyond[0]]) if len(beyond) else 1.0


def _floor(odds: Floats, sources: Names, threshold: float, share: float) -> float:
    """Return the least log-odds that the calm pictures of all sources, weighed alike, exceed by a mean share."""
    names = [name for name in np.unique(sources) if (sources == name).sum() >= FEWEST]
    for least in np.linspace(threshold - LOWEST, threshold, GRID):
        if np.mean([np.mean(odds[sources == name] >= least) for name in names]) <= share:
            return float(least)
    return threshold


def _share(values: Bools) -> float:
    return round(float(np.mean(values)), 4)
