"""What the classifier is shown of a picture: the frame, the device's crops, and crops of the thing without its room.

A weapon is shown two to four times its size, and so is a place beside it; people of calm pictures are shown as people
who hold one are. So the background says nothing.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from trainer.hazards.bad_pictures import Random
from trainer.hazards.pictures import CALM, EVERYDAY, Picture, Sides

Square = tuple[float, float, float]
"""Left, top and side as shares of the frame, as a crop of the device."""

WEAPONS: Final = frozenset({"gun", "knife", "weapon"})

PERSON: Final = "person"

WHOLE: Final[Square] = (0.0, 0.0, 1.0)

LEAST_SIDE: Final = 0.14
"""Least side of a crop: of a picture of 368 pixels, about as many as the device takes."""

MOST_SIDE: Final = 0.95


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a picture."""

    kind: str
    """`frame`, `device`, `weapon`, `thing`, `beside`, `person`, `zoom`, `bad`, `mirrored` or `clip`."""
    square: Square = WHOLE
    mirrored: bool = False
    inside: Mapping[str, float] = field(default_factory=dict)
    """Of each class the largest share of one of its boxes that it shows."""


def randomness(picture: Picture, purpose: str) -> Random:
    """Return the same draws for the same picture and purpose, whatever else is drawn."""
    digest = hashlib.sha256(f"{picture.key} {purpose}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8]))


def inside(square: Square, boxes: Sequence[tuple[str, Sides]]) -> dict[str, float]:
    """Return of each class the largest share of one of its boxes that a square shows."""
    found: dict[str, float] = {}
    for name, box in boxes:
        found[name] = max(found.get(name, 0.0), _shown(square, box))
    return found


def around(box: Sides, scale: float, draw: Random, shift: float) -> Square:
    """Return a square some times as large as a box, moved at random by at most a share of its side, in the frame."""
    side = min(1.0, max(LEAST_SIDE, max(box[2], box[3]) * scale))
    moved = draw.uniform(-shift, shift, 2) * side
    return _square(box[0] + box[2] / 2 + moved[0], box[1] + box[3] / 2 + moved[1], side)


def crops(picture: Picture) -> Iterator[View]:
    """Yield the crops that teach the thing without its room."""
    draw = randomness(picture, "crops")
    if picture.label in {CALM, EVERYDAY}:
        yield from _calm(picture, draw)
        return
    dangers = [(name, box) for name, box in picture.boxes if name != PERSON]
    for name, box in _some(dangers, draw, 2):
        scales = [draw.uniform(2, 4), draw.uniform(2, 4)] if name in WEAPONS else [draw.uniform(1.3, 3)]
        for scale in scales:
            square = around(box, scale, draw, 0.25)
            if square[2] < MOST_SIDE:
                yield View("weapon" if name in WEAPONS else "thing", square, inside=inside(square, picture.boxes))
    if dangers:
        yield from _beside(picture, dangers, draw)
        yield from _zoom(picture, dangers, draw)
    elif picture.source != "coco":
        yield View("zoom", _anywhere(draw, 0.72, 0.92), mirrored=draw.random() < 0.5)


def _calm(picture: Picture, draw: Random) -> Iterator[View]:
    people = [(name, box) for name, box in picture.boxes if name == PERSON and max(box[2:]) > LEAST_SIDE]
    for _, box in _some(people, draw, 2):
        square = around(box, draw.uniform(1.1, 1.8), draw, 0.0)
        if square[2] < MOST_SIDE:
            yield View("person", square)
    if picture.label == CALM:
        yield from (View("zoom", _anywhere(draw, 0.3, 0.8)) for _ in range(2))


def _beside(picture: Picture, dangers: Sequence[tuple[str, Sides]], draw: Random) -> Iterator[View]:
    """Yield up to two places, and a person, of the same picture that show nothing of the danger."""
    squares = (_anywhere(draw, 0.2, 0.6) for _ in range(30))
    clear = [square for square in squares if not any(_shown(square, box) for _, box in dangers)]
    yield from (View("beside", square, inside=inside(square, picture.boxes)) for square in clear[:2])
    people = [(name, box) for name, box in picture.boxes if name == PERSON]
    for _, box in _some(people, draw, 1):
        square = around(box, draw.uniform(1.1, 1.8), draw, 0.0)
        if not any(_shown(square, other) for _, other in dangers):
            yield View("beside", square, inside=inside(square, picture.boxes))


def _zoom(picture: Picture, dangers: Sequence[tuple[str, Sides]], draw: Random) -> Iterator[View]:
    for _ in range(20):
        square = _anywhere(draw, 0.5, 0.92)
        if all(_shown(square, box) > 0.9 for _, box in dangers):
            yield View("zoom", square, draw.random() < 0.5, inside(square, picture.boxes))
            return


def _some(boxes: Sequence[tuple[str, Sides]], draw: Random, count: int) -> list[tuple[str, Sides]]:
    return [boxes[int(at)] for at in draw.permutation(len(boxes))[:count]]


def _anywhere(draw: Random, least: float, most: float) -> Square:
    side = draw.uniform(least, most)
    across, down = draw.uniform(side / 2, 1 - side / 2, 2)
    return _square(float(across), float(down), side)


def _square(across: float, down: float, side: float) -> Square:
    left, top = (min(max(0.0, middle - side / 2), 1.0 - side) for middle in (across, down))
    return float(left), float(top), float(side)


def _shown(square: Square, box: Sides) -> float:
    wide = min(square[0] + square[2], box[0] + box[2]) - max(square[0], box[0])
    high = min(square[1] + square[2], box[1] + box[3]) - max(square[1], box[1])
    return max(0.0, wide) * max(0.0, high) / max(1e-9, box[2] * box[3])
