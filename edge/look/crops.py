"""Crops: which parts of a frame are worth looking at again, larger.

A gun in the hand of someone far away is a few pixels of the picture that the encoder gets. The camera's own picture has
more of them: a crop around a person shows the encoder a person of the size it knows. All lengths are shares of the
frame, 0 to 1, so that a crop is squashed by as much as the frame is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edge import config
from edge.infer.detection import Detection

PERSON: Final = "person"
"""The class of the detections that crops are taken around."""

MIN_PIXELS: Final = 48
"""Least height and width of a crop: fewer pixels show no hand, however large they are drawn."""

SHARED: Final = 0.5
"""Share of the smaller of two crops that both show from which they are looked at as one."""

STEPS: Final = 10
"""Steps of a detection's score that count: of two people as sure to a tenth, the smaller goes first."""


LEAST_SHARED: Final = 0.07
"""Least evidence of the frame for a danger that it judges together with its crops: below it, no crop brings both above
one half; found on the pictures that the shipped classifier was chosen on, where nothing was lost by it."""


class Reason(StrEnum):
    """Why crops of a frame are examined or not."""

    OFF = "off"
    """The configuration wants no crops, or the bundle cannot judge them."""
    KNOWN = "known"
    """The frame itself bears a danger out."""
    CALM = "calm"
    """Nothing in the frame gives the least cause."""
    WORTH = "worth"
    """The frame leaves a doubt that a crop could settle."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the frame, as high as it is wide in shares of the frame."""

    left: float
    """Left edge."""
    top: float
    """Top edge."""
    side: float
    """Height and width."""
    score: float
    """The surest detection in it, 0 to 1."""
    tallest: float
    """Height of the tallest detection in it."""


def judge(
    evidence: Mapping[str, float],
    limits: Mapping[str, float],
    sought: Iterable[str],
    settings: config.Crops,
    shared: Iterable[str] = (),
) -> Reason:
    """Decide by the whole frame's evidence; `limits` are the frame's own.

    `sought` are the dangers that a crop can show alone, `shared` those for which frame and crops are judged together.
    """
    alone, both = list(sought), list(shared)
    if not ((alone or both) and settings.per_frame):
        return Reason.OFF
    if any(evidence[term] >= max(settings.min_evidence, LEAST_SHARED) for term in both):
        return Reason.WORTH
    if any(evidence[term] >= limits[term] for term in alone):
        return Reason.KNOWN
    return Reason.WORTH if any(evidence[term] >= settings.min_evidence for term in alone) else Reason.CALM


def regions(detections: Sequence[Detection], settings: config.Crops, height: int, width: int) -> list[Region]:
    """Return the crops to look at in a frame of this many pixels, the most promising first.

    People who share most of a crop are shown together, as long as the crop stays small enough to gain anything.
    """
    least = MIN_PIXELS / min(height, width)
    found: list[Region] = []
    for person in detections:
        if person.name == PERSON and person.score >= settings.min_score:
            region = around(person, settings.margin, least)
            if region.side <= settings.max_share:
                found = _joined(found, region, settings.max_share)
    found.sort(key=lambda region: (-round(region.score * STEPS), region.side))
    return found[: settings.per_frame]


def around(found: Detection, margin: float, least: float) -> Region:
    """Draw a square of at least a size around a detection, moved into the frame where it would stand out."""
    side = min(1.0, max(least, max(found.w, found.h) * (1 + margin)))
    centre = found.x + found.w / 2, found.y + found.h / 2
    return _square(centre, side, found.score, found.h)


def _joined(found: list[Region], region: Region, max_share: float) -> list[Region]:
    """Add a region to those found; one that shows mostly the same as another takes its place, with all of it."""
    for number, other in enumerate(found):
        union = _union(other, region)
        if union.side <= max_share and _common(other, region) >= SHARED * min(other.side, region.side) ** 2:
            return [*found[:number], union, *found[number + 1 :]]
    return [*found, region]


def _union(one: Region, other: Region) -> Region:
    """Return the least square around two regions."""
    left, top = min(one.left, other.left), min(one.top, other.top)
    right = max(one.left + one.side, other.left + other.side)
    bottom = max(one.top + one.side, other.top + other.side)
    centre, side = ((left + right) / 2, (top + bottom) / 2), max(right - left, bottom - top)
    return _square(centre, side, max(one.score, other.score), max(one.tallest, other.tallest))


def _square(centre: tuple[float, float], side: float, score: float, tallest: float) -> Region:
    left, top = (min(max(0.0, middle - side / 2), 1.0 - side) for middle in centre)
    return Region(left, top, side, score, tallest)


def _common(one: Region, other: Region) -> float:
    """Return the area that two regions share."""
    wide = min(one.left + one.side, other.left + other.side) - max(one.left, other.left)
    high = min(one.top + one.side, other.top + other.side) - max(one.top, other.top)
    return max(0.0, wide) * max(0.0, high)
