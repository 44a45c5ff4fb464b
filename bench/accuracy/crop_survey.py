"""A survey of crops: what the model's evidence says of people looked at closer, and what that costs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

import msgspec
from msgspec.structs import replace

from bench.accuracy.roc import PEACEFUL
from edge import config
from edge.infer import image
from edge.infer.captioner import Captioner
from edge.infer.image import Picture
from edge.look import crops as closer
from edge.look import scene
from edge.look.crops import Reason
from edge.process.stage_timer import Latency

TIMED: Final = 120
"""Pictures that the time is taken on, spread over all."""

CALM: Final = "calm"
"""Label of everyday pictures."""

LEAST: Final = 0.2
"""The lowest limit that is proposed, whatever the pictures allow: lower scores are not evidence."""

FINEST: Final = 1000
"""Limits are whole thousandths."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one picture shows, and its crops."""

    label: str
    """What is on it."""
    frame: dict[str, float]
    """Evidence of the whole picture, by danger."""
    crops: tuple[dict[str, float], ...]
    """Evidence of each crop."""

    def closest(self, term: str) -> float:
        """Return the clearest evidence of a danger among the crops, 0 without any."""
        return max((crop[term] for crop in self.crops), default=0.0)


class Limit(msgspec.Struct, frozen=True):
    """What crops tell of one danger; shares count pictures, 0 to 1."""

    frame_limit: float
    """Least evidence of a whole frame."""
    limit: float | None
    """Least evidence of a crop; none where it gains nothing."""
    by_frames: float
    """Share of the danger's pictures that whole frames find."""
    added: float
    """Share of them that crops find on top, at the best limit within the budget."""
    false: float
    """Share of peaceful pictures that crops take for the danger on top."""


class Price(msgspec.Struct, frozen=True):
    """What closer looks cost."""

    pictures: int
    """Pictures that the time was taken on."""
    share: float
    """Share of them that were looked at closer, 0 to 1."""
    crops: float
    """Mean number of crops of one that was."""
    all: float
    """Time of all pictures as a multiple of that without closer looks."""
    looked: float
    """The same of those looked at closer."""


def look(captioner: Captioner, file: Path, label: str, sought: Sequence[str], settings: config.Crops) -> Sight:
    """Weigh a picture, and its crops where one of `sought` is in doubt, be there limits for crops or not.

    Raises `Unreadable`.
    """
    bgr = image.read_bgr(file)
    features = captioner.encode(_small(captioner, bgr))
    evidence = dict(captioner.weigh(features).evidence)
    found = []
    if closer.judge(evidence, captioner.manifest.evidence, sought, settings) is Reason.WORTH:
        found = closer.regions(captioner.detect(features), settings, *bgr.shape[:2])
    crops = tuple(dict(scene.weigh(captioner, bgr, region).evidence) for region in found)
    return Sight(label, evidence, crops)


def choose(sights: Sequence[Sight], term: str, frame_limit: float, budget: float) -> Limit:
    """Find the least limit of a danger in crops at which they alarm at most `budget` of the peaceful pictures.

    Scenes and everyday pictures are held to it apart, because the scenes are the harder. No limit where crops find no
    larger a share of the danger's pictures than they take peaceful ones for it.
    """
    peaceful = [sight for sight in sights if sight.label in PEACEFUL]
    kinds = [[sight for sight in peaceful if (sight.label == CALM) is calm] for calm in (False, True)]
    limit = max([LEAST, *(_least(sorted(one.closest(term) for one in kind), budget) for kind in kinds if kind)])
    dangerous = [sight for sight in sights if sight.label == term]
    missed, calm = ([one for one in those if one.frame[term] < frame_limit] for those in (dangerous, peaceful))
    added, false = (
        sum(one.closest(term) >= limit for one in left) / max(1, len(those))
        for left, those in ((missed, dangerous), (calm, peaceful))
    )
    by_frames = 1 - len(missed) / max(1, len(dangerous))
    return Limit(frame_limit, limit if added > false and limit <= 1 else None, by_frames, added, false)


def _least(found: Sequence[float], budget: float) -> float:
    """Return the least limit, in whole `FINEST`, that at most a budget of the evidence found reaches; it is sorted."""
    highest = found[len(found) - 1 - int(budget * len(found))]
    return (math.floor(highest * FINEST) + 1) / FINEST


def price(captioner: Captioner, files: Sequence[Path], settings: config.Crops) -> Price:
    """Describe pictures with and without closer looks, turn by turn, and hold the times against each other."""
    without = replace(settings, per_frame=0)
    taken: list[tuple[float, float, int]] = []
    for file in files[:: max(1, len(files) // TIMED)]:
        bgr = image.read_bgr(file)
        small = _small(captioner, bgr)
        plain, _ = _timed(captioner, bgr, small, without)
        looking, crops = _timed(captioner, bgr, small, settings)
        taken.append((plain, looking, crops))
    looked = [one for one in taken if one[2]]
    return Price(
        len(taken),
        len(looked) / len(taken),
        sum(crops for *_, crops in looked) / max(1, len(looked)),
        *map(_ratio, (taken, looked)),
    )


def _timed(captioner: Captioner, bgr: Picture, small: Picture, settings: config.Crops) -> tuple[float, int]:
    """Return the seconds that a frame takes, and the crops of it that are looked at."""
    begin = perf_counter()
    seen = scene.describe(captioner, bgr, small, settings, Latency())
    return perf_counter() - begin, seen.crops


def _ratio(taken: Sequence[tuple[float, float, int]]) -> float:
    """Return the time with closer looks by that without, 1 where none were taken."""
    return sum(looking for _, looking, _ in taken) / sum(plain for plain, *_ in taken) if taken else 1.0


def _small(captioner: Captioner, bgr: Picture) -> Picture:
    size = captioner.manifest.input
    return image.rgb(image.fit(bgr, size.height, size.width))
