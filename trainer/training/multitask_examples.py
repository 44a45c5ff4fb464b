"""Brings together all that is known of each picture, for networks that learn everything from it at once.

Dimensions: M lessons, V views a lesson.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from trainer.data.example import BoxedPicture, Picture
from trainer.data.prepare import Prepared
from trainer.errors import DataError
from trainer.recipe.recipe import Recipe, Tuning
from trainer.recipe.run_dir import Run
from trainer.training import augmentation
from trainer.training.augmentation import Box, View

PERSON = "person"

DANGEROUS = frozenset({"gun", "weapon"})
"""Labels whose boxes are looked at closely: what a person holds is small in a picture of a whole room."""

ALIKE = {"fire": {"fire", "smoke"}, "smoke": {"fire", "smoke"}, "knife": {"knife", "weapon"}, "gun": {"gun", "weapon"}}
"""Classes that a scene of a label may show although nobody drew them."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One picture, or one part of it, with its views."""

    views: tuple[View, ...]
    sentences: tuple[tuple[str, ...], ...]
    """Tokenized; none where nobody wrote any."""
    label: str
    """Of a danger scene (`none` where it is peaceful); empty otherwise."""
    boxes: tuple[Box, ...]
    """On the whole picture."""
    labelled: frozenset[str]
    """Classes for which no box means that there is none."""
    close: bool = False
    """Whether it is a part around a person or a weapon."""

    def boxed(self, view: int) -> BoxedPicture:
        """Give the boxes as one of the views shows them."""
        shown = self.views[view]
        return BoxedPicture(shown.path, shown.boxes(self.boxes), self.labelled)


def gather(recipe: Recipe, tuning: Tuning, prepared: Prepared, run: Run) -> list[Lesson]:
    """Give the lessons of the training pictures, whole and close; the teacher's people, if asked, count as boxes.

    Raises `DataError` for a picture that cannot be read.
    """
    boxed = {picture.path: picture for picture in prepared.boxes_train}
    spoken = {picture.path: picture for picture in prepared.train}
    paths = [*spoken, *(path for path in boxed if path not in spoken)]
    people = _people(recipe, paths, run)
    random = np.random.default_rng(recipe.seed)
    known = [_known(path, spoken.get(path), boxed.get(path), people.get(path, ()), recipe) for path in paths]
    whole = [_whole(lesson, tuning, random) for lesson in known]
    close = [near for lesson in known for near in _close(lesson, people, tuning, random)]
    return [*whole, *close]


def whole(pictures: Sequence[Picture], boxed: Iterable[BoxedPicture]) -> list[Lesson]:
    """Give the lessons of validation pictures: each as taken, with nothing but what people said of it."""
    drawn = {picture.path: picture for picture in boxed}
    lessons = [
        _of(picture.path, picture.sentences, picture.label, drawn.pop(picture.path, None)) for picture in pictures
    ]
    return lessons + [_of(path, (), "", picture) for path, picture in drawn.items()]


def _of(path: Path, sentences: tuple[tuple[str, ...], ...], label: str, drawn: BoxedPicture | None) -> Lesson:
    boxes, labelled = (drawn.boxes, drawn.labelled) if drawn is not None else ((), frozenset[str]())
    return Lesson((View(path),), sentences, label, boxes, labelled)


def _people(recipe: Recipe, paths: Sequence[Path], run: Run) -> dict[Path, tuple[Box, ...]]:
    if recipe.data.teacher is None:
        return {}
    from trainer.training import pseudo_labels  # noqa: PLC0415 - only who has a teacher needs the extra [teacher]

    drawn = pseudo_labels.people(
        recipe.data.teacher.weights, paths, run.folder / "teacher.json", least_score=recipe.data.teacher.least_score
    )
    return {path: tuple((PERSON, *box[1:]) for box in boxes) for path, boxes in drawn.items()}


def _known(
    path: Path, spoken: Picture | None, drawn: BoxedPicture | None, people: Sequence[Box], recipe: Recipe
) -> Lesson:
    """Add to what was drawn the classes that cannot be there, and the teacher's people where nobody drew people."""
    sentences, label = (spoken.sentences, spoken.label) if spoken is not None else ((), "")
    lesson = _of(path, sentences, label, drawn)
    classes = set(recipe.detector.classes if recipe.detector is not None else ()) - {PERSON}
    if label:
        # Where somebody drew some classes, a knife or a gun that is not among them may lie about undrawn.
        absent = classes - ALIKE.get(label, {label}) - ({"weapon"} if lesson.labelled else set())
    else:
        absent = {name for name in classes if not any(name in sentence for sentence in sentences)}
    boxes, labelled = lesson.boxes, lesson.labelled | absent
    if PERSON not in labelled and recipe.data.teacher is not None:
        boxes, labelled = (*boxes, *people), labelled | {PERSON}
    return Lesson(lesson.views, sentences, label, boxes, frozenset(labelled))


def _whole(lesson: Lesson, tuning: Tuning, random: np.random.Generator) -> Lesson:
    path = lesson.views[0].path
    varied = [augmentation.vary(path, random, least_area=tuning.least_area) for _ in range(tuning.views - 2)]
    shown = (View(path), View(path, mirrored=True), *varied)[: tuning.views]
    return Lesson(shown, lesson.sentences, lesson.label, lesson.boxes, lesson.labelled)


def _close(
    lesson: Lesson, people: dict[Path, tuple[Box, ...]], tuning: Tuning, random: np.random.Generator
) -> Iterator[Lesson]:
    """Yield the close looks at a picture: at one weapon of a dangerous scene, at one person of any other."""
    path = lesson.views[0].path
    dangers = [box for box in lesson.boxes if box[0] in DANGEROUS]
    if not dangers and (lesson.label in {*DANGEROUS, "knife", "fight", "falling", "fallen", "fire", "smoke"}):
        return
    around = dangers or [box for box in people.get(path, lesson.boxes) if box[3] * box[4] < tuning.close_below]
    if not around or (not dangers and random.uniform() > tuning.calm_share):
        return
    box = around[int(random.integers(len(around)))]
    proportions = _proportions(path)
    shown = tuple(augmentation.near(path, box, random, proportions=proportions) for _ in range(tuning.views))
    label = lesson.label if dangers else "none"
    yield Lesson(shown, lesson.sentences if dangers else (), label, lesson.boxes, lesson.labelled, close=True)


def _proportions(path: Path) -> float:
    try:
        height, width, _ = tf.io.decode_image(path.read_bytes(), expand_animations=False).shape
    except (tf.errors.InvalidArgumentError, OSError) as error:
        raise DataError(f"{path}: not a picture that can be decoded") from error
    return float(width / height)
