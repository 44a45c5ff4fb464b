"""Draws what an alarm is worth where nothing was learnt, by danger, and names the places where it is worth least.

Right alarms against false ones for every threshold (Fawcett 2006), of pictures whose place, or whose source, the
classifier that judged them has not seen. Dimensions: M pictures, H dangers, T thresholds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import msgspec
import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trainer.hazards import choosing
from trainer.hazards.arrays import Bools, Floats, Names
from trainer.hazards.choosing import LABELS, Choice, Frames
from trainer.hazards.pictures import EVERYDAY
from trainer.hazards.recipe import DANGERS, Source

ABREAST: Final = 3
"""Dangers that a row of the drawing holds."""

LINEAR: Final = 0.02
"""Share of false alarms up to which the drawing is linear, and logarithmic beyond: what can be used lies there."""

FEWEST: Final = 8
"""Pictures of a danger from which a place can be the worst one."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Pictures of cameras, judged by what has not learnt from them."""

    odds: Floats
    """Log-odds: [M, H]."""
    known: Floats
    """How well it is known what they show: [M, H]."""
    labels: Names
    places: Names
    calm: Bools
    """Which must raise no alarm: [M]."""

    @classmethod
    def of_cameras(cls, frames: Frames, odds: Floats, facts: Mapping[str, Source]) -> Self:
        """Leave out pictures of everyday life, where false alarms are rarer."""
        labels = np.array([one.label for one in frames.examples], np.str_)
        rows = labels != EVERYDAY
        quiet = choosing.calm(frames.examples, facts)
        return cls(odds[rows], frames.known[rows], labels[rows], frames.places[rows], quiet[rows])

    def shows(self, danger: str) -> Bools:
        """Return which pictures should raise a danger: [M]."""
        return ~self.calm & np.isin(self.labels, list(LABELS[danger]))

    def pairs(self, danger: str) -> tuple[Floats, Floats]:
        """Return the log-odds of the pictures that show a danger, and of the calm ones of which that is known."""
        column = DANGERS.index(danger)
        quiet = self.calm & (self.known[:, column] > 0)
        return self.odds[self.shows(danger), column], self.odds[quiet, column]


class WorstPlace(msgspec.Struct, frozen=True):
    """Where a danger is found least."""

    place: str
    """`SOURCE/NUMBER`, as in `places.json`."""
    pictures: int
    right: int


def curve(true: Floats, false: Floats) -> tuple[Floats, Floats]:
    """Return false and right alarms at every threshold, from none to all: two [T], 0 to 1."""
    thresholds = np.unique(np.concatenate([true, false]))
    fewer = [np.searchsorted(np.sort(values), thresholds) / len(values) for values in (false, true)]
    wrong, right = (np.concatenate([[0.0], (1 - below)[::-1]]) for below in fewer)
    return wrong, right


def area(true: Floats, false: Floats) -> float:
    """Return the chance that a picture that shows it has the higher log-odds; ties count half."""
    order = np.sort(false)
    below, upto = np.searchsorted(order, true, "left"), np.searchsorted(order, true, "right")
    return float((below + upto).mean() / 2 / len(false))


def draw(judged: Mapping[str, Judged], chosen: Mapping[str, Choice], path: Path) -> None:
    """Draw a part for every danger with a curve for each of `judged`, into a file of a format that its ending names."""
    drawn = [danger for danger in chosen if any(one.shows(danger).any() for one in judged.values())]
    rows = max(1, -(-len(drawn) // ABREAST))
    figure = Figure(figsize=(4.2 * ABREAST, 3.9 * rows), layout="constrained")
    for number, danger in enumerate(drawn):
        _draw(figure.add_subplot(rows, ABREAST, number + 1, title=danger), danger, judged, chosen[danger].threshold)
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "roc"}):  # letters stay letters, and files comparable
        figure.savefig(path)


def _draw(axes: Axes, danger: str, judged: Mapping[str, Judged], threshold: float) -> None:
    for name, one in judged.items():
        true, false = one.pairs(danger)
        if not len(true) or not len(false):
            continue
        places = len(np.unique(one.places[one.shows(danger)]))
        label = f"{name}: {len(true)} of {places} places, {area(true, false):.3f}"
        points = np.unique(np.round(np.stack(curve(true, false), 1), 3), axis=0)
        [line] = axes.step(points[:, 0], points[:, 1], where="post", label=label)
        axes.plot((false >= threshold).mean(), (true >= threshold).mean(), "o", color=line.get_color())
    axes.set_xscale("symlog", linthresh=LINEAR)
    axes.set(xlabel="false alarms", ylabel="right alarms", xlim=(-LINEAR / 20, 1), ylim=(0, 1.01))
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right", fontsize="x-small", title="area; a dot: the threshold", title_fontsize="x-small")


def worst(judged: Judged, chosen: Mapping[str, Choice]) -> dict[str, WorstPlace]:
    """Return of every danger the place at which the fewest of its pictures raise it, the largest of equals."""
    found = {}
    for danger, choice in chosen.items():
        rows = np.flatnonzero(judged.shows(danger))
        right = judged.odds[rows, DANGERS.index(danger)] >= choice.threshold
        each = [_at(place, judged.places[rows], right) for place in np.unique(judged.places[rows])]
        many = [one for one in each if one.pictures >= FEWEST]
        if many:
            found[danger] = min(many, key=lambda one: (one.right / one.pictures, -one.pictures))
    return found


def _at(place: str, places: Names, right: Bools) -> WorstPlace:
    here = places == place
    return WorstPlace(str(place), int(here.sum()), int(right[here].sum()))
