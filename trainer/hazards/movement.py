"""Teaches how people move in a danger and in calm: a logistic regression on the optical flow that the device measures.

Clips are played to the device's own code at its own pace. Dimensions: W windows of looks, F features of one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from contract.bundle import MotionHead
from edge.infer import image
from edge.look.movement.movement import FURTHEST, Movement
from trainer.hazards import choosing
from trainer.hazards.arrays import Bools, Floats, Ints, Names
from trainer.hazards.features import played
from trainer.hazards.pictures import CALM, Picture
from trainer.hazards.recipe import Movement as Settings

LOOKS_PER_SECOND: Final = 5.0

SIDE: Final = 256
"""Pixels of the squashed picture that the device takes brightness from."""

FEWEST_PAIRS: Final = 5
"""Pairs of looks from which a window teaches."""

STEPS: Final = 30
"""Steps of Newton's method."""

FLOOR: Final = 1e-3

DIGITS: Final = 5

Score = Callable[[Floats], Floats]


class Learnt(msgspec.Struct, frozen=True):
    """What came of one danger's clips, judged by heads that have not seen their places."""

    clips: int
    calm_clips: int
    area: float
    """Share of pairs of a danger's clip and a calm one in which movement speaks more for the danger's."""
    interval: tuple[float, float]
    """Its 95 % interval by drawing places anew."""


@dataclass(frozen=True, slots=True)
class Windows:
    """All windows of all clips: [W, F], [W] each."""

    features: Floats
    clip: Ints
    """Number of its clip."""
    shows: Bools
    """Whether the clip shows the danger."""
    places: Names


def learn(
    danger: str, clips: Sequence[Picture], known_places: Mapping[str, str], settings: Settings
) -> tuple[MotionHead, Learnt] | None:
    """Return the head of a danger, and how it does at places that it has not learnt from; None without such clips."""
    chosen = [clip for clip in clips if clip.split == "train" and clip.label in {danger, CALM}]
    if {clip.label for clip in chosen} != {danger, CALM}:
        return None
    windows = _windows(danger, chosen, known_places)
    fold = np.array([choosing.fold(place) for place in windows.places])
    unseen = np.zeros(len(windows.shows))
    for part in range(choosing.FOLDS):
        score = _score(_fit(windows, fold != part, settings))
        unseen[fold == part] = score(windows.features[fold == part])
    return _fit(windows, np.ones(len(fold), bool), settings), _judge(windows, unseen)


def windows_of(picture: Picture) -> Iterator[Floats]:
    """Yield the features of every window of looks of a clip, as the device would measure them."""
    movement, pairs = Movement(), -1
    for at, bgr in played(picture.path, LOOKS_PER_SECOND):
        height, width = bgr.shape[:2]
        movement.see(image.fit(bgr, SIDE, SIDE), height, width, at, people=True)
        pairs += 1
        if pairs >= FEWEST_PAIRS and movement.features is not None:
            yield movement.features


def _windows(danger: str, clips: Sequence[Picture], known_places: Mapping[str, str]) -> Windows:
    found = [(features, number) for number, clip in enumerate(clips) for features in windows_of(clip)]
    clip = np.array([number for _, number in found])
    shows = np.array([one.label == danger for one in clips])
    places = np.array([known_places.get(one.key, one.key) for one in clips])
    return Windows(np.array([features for features, _ in found]), clip, shows[clip], places[clip])


def _fit(windows: Windows, rows: Bools, settings: Settings) -> MotionHead:
    """Fit a head by Newton's method; clips of a danger weigh as much as calm ones, and each clip as any other."""
    values, shows = windows.features[rows], windows.shows[rows]
    mean, spread = values.mean(0), values.std(0) + FLOOR
    scaled = np.c_[np.clip((values - mean) / spread, -FURTHEST, FURTHEST), np.ones(len(values))]
    each = 1 / np.bincount(windows.clip)[windows.clip[rows]]
    size = len(np.unique(windows.clip[rows]))
    each *= np.where(shows, size / 2 / each[shows].sum(), size / 2 / each[~shows].sum())
    penalty = np.r_[np.full(values.shape[1], settings.penalty), FLOOR]
    weights = np.zeros(scaled.shape[1])
    for _ in range(STEPS):
        expected = 1 / (1 + np.exp(-scaled @ weights))
        slope = scaled.T @ (each * (expected - shows)) + penalty * weights
        curvature = (scaled * (each * expected * (1 - expected))[:, None]).T @ scaled + np.diag(penalty)
        weights -= np.linalg.solve(curvature, slope)
    return MotionHead(
        mean=_rounded(mean),
        spread=_rounded(spread),
        weights=_rounded(weights[:-1]),
        bias=round(float(weights[-1]), DIGITS),
        most=settings.most,
    )


def _score(head: MotionHead) -> Score:
    def score(features: Floats) -> Floats:
        scaled = np.clip((features - np.array(head.mean)) / np.array(head.spread), -FURTHEST, FURTHEST)
        found: Floats = scaled @ np.array(head.weights) + head.bias
        return found

    return score


def _judge(windows: Windows, odds: Floats) -> Learnt:
    """Judge clips by the mean of their windows' log-odds."""
    clips = np.unique(windows.clip)
    mean = np.array([odds[windows.clip == one].mean() for one in clips])
    first = np.searchsorted(windows.clip, clips)
    shows, places = windows.shows[first], windows.places[first]
    return Learnt(int(shows.sum()), int((~shows).sum()), *_area(mean, shows, places))


def _area(odds: Floats, shows: Bools, places: Names) -> tuple[float, tuple[float, float]]:
    draw = np.random.default_rng(1)
    _, place = np.unique(places, return_inverse=True)
    rows = [np.flatnonzero(place == one) for one in range(place.max() + 1)]
    drawn = []
    for _ in range(choosing.DRAWS):
        chosen = np.concatenate([rows[one] for one in draw.integers(0, len(rows), len(rows))])
        if 0 < shows[chosen].sum() < len(chosen):
            drawn.append(_share_above(odds[chosen], shows[chosen]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return round(_share_above(odds, shows), 3), (round(float(low), 3), round(float(high), 3))


def _share_above(odds: Floats, shows: Bools) -> float:
    above = odds[shows][:, np.newaxis] - odds[~shows]
    return float(np.mean(above > 0) + np.mean(above == 0) / 2)


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), DIGITS) for value in values)
