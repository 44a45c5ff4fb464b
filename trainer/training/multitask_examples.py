"""Brings together all that is known of each image, for networks that learn everything from it at once.

Dimensions: M examples, V views an example.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer.data import image_file
from trainer.data.example import BoxExample, CaptionExample
from trainer.data.prepare import Prepared
from trainer.recipe.recipe import Finetuning, Recipe
from trainer.recipe.run_dir import RunDir
from trainer.training import augmentation
from trainer.training.augmentation import AugmentedImage, Box

PERSON = "person"

DANGEROUS = frozenset({"gun", "weapon"})
"""Labels whose boxes are looked at closely: what a person holds is small in an image of a whole room."""

RELATED = {
    "fire": {"fire", "smoke"},
    "smoke": {"fire", "smoke"},
    "knife": {"knife", "weapon"},
    "gun": {"gun", "weapon"},
}
"""Classes that a scene of a label may show although nobody drew them."""


@dataclass(frozen=True, slots=True)
class MultitaskExample:
    """One image, or one part of it, with its views."""

    variants: tuple[AugmentedImage, ...]
    sentences: tuple[tuple[str, ...], ...]
    """Tokenized; none where nobody wrote any."""
    label: str
    """Of a danger scene (`none` where it is peaceful); empty otherwise."""
    boxes: tuple[Box, ...]
    """On the whole image."""
    labelled: frozenset[str]
    """Classes for which no box means that there is none."""
    closeup: bool = False
    """Whether it is a part around a person or a weapon."""

    def boxed(self, variant: int) -> BoxExample:
        """Return the boxes as one of the views shows them."""
        shown = self.variants[variant]
        return BoxExample(shown.path, shown.boxes(self.boxes), self.labelled)


def gather(recipe: Recipe, settings: Finetuning, prepared: Prepared, run: RunDir) -> list[MultitaskExample]:
    """Return the examples of the training images, whole and close; the teacher's people, if asked, count as boxes.

    Raises `DataError` for an image that cannot be read.
    """
    boxed = {example.path: example for example in prepared.boxes_train}
    spoken = {example.path: example for example in prepared.train}
    paths = [*spoken, *(path for path in boxed if path not in spoken)]
    people = _people(recipe, paths, run)
    random = np.random.default_rng(recipe.seed)
    known = [_known(path, spoken.get(path), boxed.get(path), people.get(path, ()), recipe) for path in paths]
    whole = [_whole(example, settings, random) for example in known]
    closeup = [crop for example in known for crop in _closeup(example, people, settings, random)]
    return [*whole, *closeup]


def whole(examples: Sequence[CaptionExample], boxed: Iterable[BoxExample]) -> list[MultitaskExample]:
    """Return the examples of validation images: each as taken, with nothing but what people said of it."""
    drawn = {example.path: example for example in boxed}
    made = [_of(example.path, example.sentences, example.label, drawn.pop(example.path, None)) for example in examples]
    return made + [_of(path, (), "", example) for path, example in drawn.items()]


def _of(path: Path, sentences: tuple[tuple[str, ...], ...], label: str, drawn: BoxExample | None) -> MultitaskExample:
    boxes, labelled = (drawn.boxes, drawn.labelled) if drawn is not None else ((), frozenset[str]())
    return MultitaskExample((AugmentedImage(path),), sentences, label, boxes, labelled)


def _people(recipe: Recipe, paths: Sequence[Path], run: RunDir) -> dict[Path, tuple[Box, ...]]:
    if recipe.data.pseudo_labels is None:
        return {}
    from trainer.training import pseudo_labels  # noqa: PLC0415 - only who has a teacher needs the extra [teacher]

    drawn = pseudo_labels.people(
        recipe.data.pseudo_labels.weights,
        paths,
        run.folder / "teacher.json",
        min_score=recipe.data.pseudo_labels.min_score,
    )
    return {path: tuple((PERSON, *box[1:]) for box in boxes) for path, boxes in drawn.items()}


def _known(
    path: Path, spoken: CaptionExample | None, drawn: BoxExample | None, people: Sequence[Box], recipe: Recipe
) -> MultitaskExample:
    """Add to what was drawn the classes that cannot be there, and the teacher's people where nobody drew people."""
    sentences, label = (spoken.sentences, spoken.label) if spoken is not None else ((), "")
    example = _of(path, sentences, label, drawn)
    classes = set(recipe.detector.classes if recipe.detector is not None else ()) - {PERSON}
    if label:
        # Where somebody drew some classes, a knife or a gun that is not among them may lie about undrawn.
        absent = classes - RELATED.get(label, {label}) - ({"weapon"} if example.labelled else set())
    else:
        absent = {name for name in classes if not any(name in sentence for sentence in sentences)}
    boxes, labelled = example.boxes, example.labelled | absent
    if PERSON not in labelled and recipe.data.pseudo_labels is not None:
        boxes, labelled = (*boxes, *people), labelled | {PERSON}
    return MultitaskExample(example.variants, sentences, label, boxes, frozenset(labelled))


def _whole(example: MultitaskExample, settings: Finetuning, random: np.random.Generator) -> MultitaskExample:
    path = example.variants[0].path
    varied = [
        augmentation.random_crop(path, random, min_area=settings.min_area) for _ in range(settings.augmentations - 2)
    ]
    shown = (AugmentedImage(path), AugmentedImage(path, mirrored=True), *varied)[: settings.augmentations]
    return MultitaskExample(shown, example.sentences, example.label, example.boxes, example.labelled)


def _closeup(
    example: MultitaskExample, people: dict[Path, tuple[Box, ...]], settings: Finetuning, random: np.random.Generator
) -> Iterator[MultitaskExample]:
    """Yield the close looks at an image: at one weapon of a dangerous scene, at one person of any other."""
    path = example.variants[0].path
    dangers = [box for box in example.boxes if box[0] in DANGEROUS]
    if not dangers and (example.label in {*DANGEROUS, "knife", "fight", "falling", "fallen", "fire", "smoke"}):
        return
    around = dangers or [box for box in people.get(path, example.boxes) if box[3] * box[4] < settings.closeup_max_area]
    if not around or (not dangers and random.uniform() > settings.peaceful_closeup_share):
        return
    box = around[int(random.integers(len(around)))]
    width, height = image_file.size(path)
    shown = tuple(
        augmentation.crop_around(path, box, random, proportions=width / height) for _ in range(settings.augmentations)
    )
    label = example.label if dangers else "none"
    yield MultitaskExample(
        shown, example.sentences if dangers else (), label, example.boxes, example.labelled, closeup=True
    )
