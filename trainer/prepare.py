"""Gathers and checks everything a recipe names, before any hour is spent on it."""

from dataclasses import dataclass

from contract import vocab
from trainer import coco, hazards, pictures
from trainer.coco import BoxedPicture
from trainer.errors import DataError
from trainer.pictures import Picture
from trainer.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Prepared:
    """The data of a recipe, read and checked."""

    train: list[Picture]
    val: list[Picture]
    boxes_train: list[BoxedPicture]
    boxes_val: list[BoxedPicture]
    vocabulary: vocab.Vocabulary
    terms: dict[str, tuple[str, ...]]
    """Words of each danger."""


def gather(recipe: Recipe) -> Prepared:
    """Read every file that the recipe names.

    Raises `DataError` naming the file where one is missing or wrong, or where a picture of `val` is also in `train`.
    """
    train: list[Picture] = []
    val: list[Picture] = []
    terms: dict[str, tuple[str, ...]] = {}
    for source in recipe.data.captions:
        train += coco.captions(source.train, source.images, source.name)
        val += coco.captions(source.val, source.images, source.name)
    for scenes in recipe.data.hazards:
        templates = hazards.load_templates(scenes.sentences)
        terms |= {danger: tuple(words) for danger, words in templates.terms.items()}
        train += hazards.captions(scenes.train, templates, scenes.name)
        val += hazards.captions(scenes.val, templates, scenes.name)
    boxes_train, boxes_val = _boxes(recipe)
    _check(train, val)
    return Prepared(train, val, boxes_train, boxes_val, pictures.vocabulary(train, recipe.vocabulary), terms)


def _boxes(recipe: Recipe) -> tuple[list[BoxedPicture], list[BoxedPicture]]:
    if recipe.detector is None:
        return [], []
    train = [boxed for source in recipe.data.boxes for boxed in coco.instances(source.train, source.images)]
    val = [boxed for source in recipe.data.boxes for boxed in coco.instances(source.val, source.images)]
    if set(recipe.detector.classes) - {"person"}:
        train += [boxed for source in recipe.data.hazards for boxed in hazards.boxed(source.train)]
        val += [boxed for source in recipe.data.hazards for boxed in hazards.boxed(source.val)]
    if not train:
        raise DataError("detector: data.boxes names no pictures to learn from")
    return train, val


def _check(train: list[Picture], val: list[Picture]) -> None:
    absent = pictures.missing([*train, *val])
    if absent:
        raise DataError(f"{len(absent)} pictures are not there, the first is {absent[0]}")
    both = {picture.path for picture in train} & {picture.path for picture in val}
    if both:
        raise DataError(f"{len(both)} pictures are in both train and val, one is {min(both)}")
