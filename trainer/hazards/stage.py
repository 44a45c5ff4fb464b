"""The stage as a whole: encode, fit with and without each place and each source, choose, write."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from contract.bundle import MotionHead
from edge.infer.captioner import Captioner
from trainer.hazards import bundle_file, choosing, fitting, labels, movement, pictures, places, roc, sets
from trainer.hazards.arrays import Bools, Floats, Ints, Names
from trainer.hazards.bundle_file import Classifier
from trainer.hazards.choosing import FOLDS, Choice, Frames
from trainer.hazards.features import Example
from trainer.hazards.fitting import Network, Scale
from trainer.hazards.movement import Learnt
from trainer.hazards.pictures import Picture
from trainer.hazards.recipe import DANGERS, HazardRecipe
from trainer.hazards.roc import Judged, WorstPlace

WEIGHTS: Final[Mapping[str, float]] = {
    "frame": 1.0,
    "zoom": 0.9,
    "device": 0.6,
    "weapon": 0.8,
    "thing": 0.8,
    "beside": 0.6,
    "person": 0.8,
    "bad": 0.8,
    "lit": 0.7,
    "mirrored": 0.7,
    "clip": 0.5,
}
"""What a view of each kind counts."""

ARMED: Final = DANGERS.index("armed")


class Report(msgspec.Struct, frozen=True):
    """What was chosen, and from how much."""

    views: int
    places: dict[str, int]
    """Places of each source of scenes."""
    dangers: dict[str, Choice]
    any_danger: dict[str, float]
    """Share of each source's calm frames, at places that were not learnt from, that raise any danger."""
    movement: dict[str, Learnt] = {}
    """What people's movement tells of each danger's clips."""
    worst: dict[str, WorstPlace] = {}
    """Of each danger the place of a new source at which it is found least."""


@dataclass(frozen=True, slots=True)
class Views:
    """All views with what is needed to tell them apart: arrays [M]."""

    examples: list[Example]
    sources: Names
    places: Names
    train: Bools
    fold: Ints
    """Part of the places, or -1 for what every classifier learns from."""


def run(recipe: HazardRecipe, bundle: Path, work: Path, now: datetime) -> Report:
    """Make the classifier and put it into a bundle; raises what its parts raise."""
    captioner = Captioner.open(bundle)
    listed = pictures.gather(recipe)
    encoded = sets.encode(work / "features", listed, captioner)
    known_places = places.assign(encoded, recipe.sources)
    known_places |= places.of_clips(encoded.examples, known_places)
    places.write(work / "places.json", known_places)
    views = _views(encoded.examples, known_places, recipe)
    there, known = labels.targets(encoded.examples, recipe.sources)
    maximum = encoded.pooled[:, encoded.pooled.shape[1] // 2 :]
    networks, scale = _learn(maximum, views, there, known, recipe)
    scaled = scale.scaled(maximum)
    odds = [network.log_odds(scaled) for network in networks]
    frames = _frames(views, odds, known, recipe)
    chosen = choosing.choose(frames, recipe.sources, recipe.bounds)
    heads, moved = _movement(listed, known_places, recipe)
    judged = _judged(frames, _withheld(views, odds[-1], known, recipe), recipe)
    roc.draw(judged, chosen, work / "roc.svg")
    unlike = roc.worst(judged["new source"], chosen)
    report = Report(len(encoded.examples), _counts(known_places), chosen, _any(frames, chosen, recipe), moved, unlike)
    bundle_file.write(bundle, Classifier(networks[-1], scale, chosen, report.any_danger, heads), recipe, now)
    np.savez(work / "frames.npz", **_kept(frames))
    (work / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))
    return report


def _learn(
    maximum: Floats, views: Views, there: Floats, known: Floats, recipe: HazardRecipe
) -> tuple[list[Network], Scale]:
    """Fit a classifier to each part, first without the lit pictures, then with them what these teach."""
    lit = np.array([one.kind == "lit" for one in views.examples])
    scale = Scale.of(maximum[views.train & ~lit])
    scaled = scale.scaled(maximum)
    kinds = np.array([WEIGHTS[one.kind] for one in views.examples], np.float32)[:, np.newaxis]

    def weighed(rows: Bools) -> list[Floats]:
        return [
            fitting.balanced(
                views.sources[rows], views.places[rows], there[rows], (known * kinds * keep[:, None])[rows]
            )
            for keep in _samples(views, recipe)
        ]

    networks = fitting.fit(scaled[~lit], there[~lit], weighed(~lit), recipe.fit, recipe.seed)
    if not lit.any():
        return networks, scale
    columns = [DANGERS.index(danger) for danger in sorted(labels.LIGHTS_TEACH)]
    every = np.ones(len(lit), bool)
    return fitting.refit(networks, scaled, there, weighed(every), columns, recipe.fit, recipe.seed), scale


def _movement(
    listed: list[Picture], known_places: Mapping[str, str], recipe: HazardRecipe
) -> tuple[dict[str, MotionHead], dict[str, Learnt]]:
    """Learn how people move in each danger that the recipe names."""
    clips = [picture for picture in listed if picture.path.suffix == ".mp4"]
    each = {danger: movement.learn(danger, clips, known_places, recipe.movement) for danger in recipe.movement.flow}
    found = {danger: one for danger, one in each.items() if one is not None}
    return {danger: head for danger, (head, _) in found.items()}, {danger: one for danger, (_, one) in found.items()}


def _kept(frames: Frames) -> dict[str, Any]:
    """Return what was chosen by, for those who want to look closer: keys, labels, places, log-odds."""
    return {
        "keys": np.array([one.key for one in frames.examples]),
        "labels": np.array([one.label for one in frames.examples]),
        "sources": frames.sources,
        "places": frames.places,
        "known": frames.known,
        "new_place": frames.new_place,
        "new_source": frames.new_source,
    }


def _views(examples: list[Example], known_places: Mapping[str, str], recipe: HazardRecipe) -> Views:
    where = np.array([known_places.get(one.key, one.key) for one in examples])
    part = np.array([choosing.fold(place) for place in where])
    sources = np.array([one.source for one in examples])
    for source in recipe.in_training:
        names, counts = np.unique(where[sources == source], return_counts=True)
        part[where == names[counts.argmax()]] = -1
    return Views(examples, sources, where, np.array([one.split == "train" for one in examples]), part)


def _samples(views: Views, recipe: HazardRecipe) -> list[Bools]:
    """Return what each classifier learns from: all but a part of the places, all but some sources, all: [M] each."""
    without_places = [views.train & (views.fold != part) for part in range(FOLDS)]
    without_sources = [views.train & ~np.isin(views.sources, group) for group in recipe.left_out]
    return [*without_places, *without_sources, views.train]


def _frames(views: Views, odds: list[Floats], known: Floats, recipe: HazardRecipe) -> Frames:
    """Judge every training frame by classifiers that have not seen its place, and by those without its source."""
    place = odds[-1].copy()
    for part in range(FOLDS):
        place[views.fold == part] = odds[part][views.fold == part]
    source = place.copy()
    for group, found in zip(recipe.left_out, odds[FOLDS:-1], strict=True):
        of_group = np.isin(views.sources, group)
        source[of_group] = found[of_group]
    boxed = {listed.name for listed in recipe.people}
    rows = [
        row
        for row, one in enumerate(views.examples)
        if one.kind in {"frame", "clip"} and views.train[row] and one.source not in boxed
    ]
    crops = _crops(views)
    new_place, new_source = (
        _with_crops(found, rows, crops, views.examples, recipe.crop_weight) for found in (place, source)
    )
    return Frames([views.examples[row] for row in rows], known[rows], new_place, new_source, views.places[rows])


def _withheld(views: Views, odds: Floats, known: Floats, recipe: HazardRecipe) -> Frames:
    """Judge the frames of val of places without a picture in train by the classifier that learnt from all of train."""
    seen = set(views.places[views.train].tolist())
    rows = [
        row
        for row, one in enumerate(views.examples)
        if one.kind == "frame" and not views.train[row] and views.places[row] not in seen
    ]
    found = _with_crops(odds, rows, _crops(views), views.examples, recipe.crop_weight)
    return Frames([views.examples[row] for row in rows], known[rows], found, found, views.places[rows])


def _judged(frames: Frames, withheld: Frames, recipe: HazardRecipe) -> dict[str, Judged]:
    """Return the pictures of cameras that were judged by what has not learnt from them."""
    return {
        "new place": Judged.of_cameras(frames, frames.new_place, recipe.sources),
        "new source": Judged.of_cameras(frames, frames.new_source, recipe.sources),
        "withheld": Judged.of_cameras(withheld, withheld.new_place, recipe.sources),
    }


def _crops(views: Views) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row, one in enumerate(views.examples):
        if one.kind == "device":
            found.setdefault(one.key, []).append(row)
    return found


def _with_crops(
    odds: Floats, rows: list[int], crops: Mapping[str, list[int]], examples: list[Example], weight: float
) -> Floats:
    """Return frames' log-odds [M, H], those of weapons together with the clearest of their crops."""
    found = odds[rows].copy()
    for at, row in enumerate(rows):
        mine = crops.get(examples[row].key)
        if mine:
            found[at, ARMED] = (1 - weight) * found[at, ARMED] + weight * odds[mine, ARMED].max()
    return found


def _counts(known_places: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, set[str]] = {}
    for place in known_places.values():
        found.setdefault(place.split("/")[0], set()).add(place)
    return {source: len(each) for source, each in sorted(found.items())}


def _any(frames: Frames, chosen: Mapping[str, Choice], recipe: HazardRecipe) -> dict[str, float]:
    quiet = choosing.calm(frames.examples, recipe.sources)
    alarmed = np.zeros(len(frames.examples), bool)
    for danger, choice in chosen.items():
        alarmed |= frames.new_place[:, DANGERS.index(danger)] >= choice.threshold
    return {
        source: round(float(alarmed[quiet & (frames.sources == source)].mean()), 4)
        for source in np.unique(frames.sources[quiet])
    }
