"""The ROC of each danger: right alarms against false ones, for every threshold of the captions' probability.

A caption leaves out what is improbable by far (`edge.infer.hazards.WORTH_TELLING`); such pictures count with 0, so a
curve runs straight from its last told point to the corner.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TERMS: Final[Mapping[str, tuple[str, ...]]] = {
    "gun": ("gun", "weapon"),
    "weapon": ("weapon", "gun", "knife"),
    "knife": ("knife", "weapon", "gun"),
    "fire": ("fire", "smoke"),
    "smoke": ("smoke", "fire"),
    "fight": ("fight",),
    "falling": ("falling", "fallen"),
    "fallen": ("fallen", "falling"),
}
"""Hazards of a caption that speak of each label, as the rules of `bench.accuracy.alarms.RIGHT` do."""

PEACEFUL: Final = ("none", "set table", "calm")
"""Labels on whose pictures every alarm is false."""

ALL: Final = "all"
"""All peaceful pictures together."""

ABREAST: Final = 2
"""Dangers a row of the drawing holds."""

LINEAR: Final = 0.02
"""Share of false alarms up to which the drawing is linear, and logarithmic beyond: what can be used lies there."""


class Rates(msgspec.Struct, frozen=True):
    """What an alarm is worth."""

    false: float
    """Share of the peaceful pictures that it takes for this danger, 0 to 1."""
    true: float
    """Share of the danger's pictures that it finds, 0 to 1."""


class Point(Rates, frozen=True, kw_only=True):
    """One threshold."""

    threshold: float
    """Least probability that counts as an alarm."""


class Curve(msgspec.Struct, frozen=True):
    """One danger against one kind of peaceful pictures."""

    dangerous: int
    """Pictures of the danger."""
    peaceful: int
    """Peaceful pictures."""
    auc: float
    """Area under the curve: the chance that a dangerous picture gets the higher probability, ties counted half."""
    shipped: Rates
    """Where the shipped rules stand, which read the sentence too."""
    points: tuple[Point, ...]
    """Every threshold that matters, from the highest down to the one that takes every picture for a danger."""


Curves = dict[str, dict[str, Curve]]
"""By danger, and then by the kind of peaceful pictures."""


def curves(detail: Sequence[Mapping[str, Any]], right: Mapping[str, frozenset[str]]) -> Curves:
    """Draw each danger's curves from captioned and judged pictures; `right` names the rules that speak of it."""
    sets = {kind: [one for one in detail if one["label"] == kind] for kind in PEACEFUL}
    sets[ALL] = [one for one in detail if one["label"] in PEACEFUL]
    found: Curves = {}
    for label, rules in right.items():
        if dangerous := [one for one in detail if one["label"] == label]:
            found[label] = {kind: _curve(dangerous, calm, label, rules) for kind, calm in sets.items() if calm}
    return found


def _curve(
    dangerous: Sequence[Mapping[str, Any]], calm: Sequence[Mapping[str, Any]], label: str, rules: frozenset[str]
) -> Curve:
    true, false = _scores(dangerous, label), _scores(calm, label)
    thresholds = np.unique(np.concatenate([true, false, [0.0]]))[::-1].tolist()
    points = [
        Point(float(np.mean(false >= least)), float(np.mean(true >= least)), threshold=least) for least in thresholds
    ]
    shipped = Rates(_raised(calm, rules), _raised(dangerous, rules))
    return Curve(len(dangerous), len(calm), auc(true, false), shipped, tuple(points))


def auc(true: Floats, false: Floats) -> float:
    """Return the area under the ROC curve as the Mann-Whitney statistic over all pairs (Fawcett 2006, section 7)."""
    above = np.mean(true[:, None] > false[None, :])
    return float(above + 0.5 * np.mean(true[:, None] == false[None, :]))


def _scores(pictures: Sequence[Mapping[str, Any]], label: str) -> Floats:
    told = [{hazard["term"]: hazard["probability"] for hazard in one["hazards"]} for one in pictures]
    return np.array([max(hazards.get(term, 0.0) for term in TERMS[label]) for hazards in told])


def _raised(pictures: Sequence[Mapping[str, Any]], rules: frozenset[str]) -> float:
    return sum(any(found["rule"] in rules for found in one["fired"]) for one in pictures) / len(pictures)


def write(found: Curves, path: Path) -> None:
    """Write the curves as JSON, and drawn in a file beside it that ends in .svg; raises `OSError`."""
    path.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    draw(found, path.with_suffix(".svg"))


def draw(found: Curves, path: Path) -> None:
    """Draw every danger's curves into a file of any format that matplotlib knows by its ending."""
    rows = -(-len(found) // ABREAST)
    figure = Figure(figsize=(4.6 * ABREAST, 4.2 * rows), layout="constrained")
    for number, (label, against) in enumerate(found.items()):
        axes = figure.add_subplot(rows, ABREAST, number + 1, title=label)
        for kind, curve in against.items():
            name = f"{kind} ({curve.peaceful}), AUC {curve.auc:.3f}"
            points = (Rates(0.0, 0.0), *curve.points)
            [line] = axes.plot([point.false for point in points], [point.true for point in points], label=name)
            axes.plot(curve.shipped.false, curve.shipped.true, "o", color=line.get_color())
        axes.set_xscale("symlog", linthresh=LINEAR)
        axes.set(xlabel="false alarms", ylabel="right alarms", xlim=(-LINEAR / 20, 1), ylim=(0, 1.01))
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right", fontsize="small", title="against (a dot: the shipped rules)")
    figure.savefig(path)
