"""Gathers and checks everything a recipe names, before any hour is spent on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contract import vocab
from trainer import coco, hazards, pictures
from trainer.coco import BoxedPicture
from trainer.errors import CheckpointError, DataError
from trainer.pictures import Picture
from trainer.recipe import Recipe
from trainer.run import Run


@dataclass(frozen=True, slots=True)
class Prepared:
    """The data of a recipe, read and checked."""

    train: list[Picture]
    val: list[Picture]
    boxes_train: list[BoxedPicture]
    boxes_val: list[BoxedPicture]
    vocabulary: vocab.Vocabulary
    terms: dict[str, tuple[str, ...]]
    """Words of each danger that the vocabulary can name."""


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
    _check([picture.path for picture in train], [picture.path for picture in val])
    _check([boxed.path for boxed in boxes_train], [boxed.path for boxed in boxes_val])
    words = pictures.vocabulary(train, recipe.vocabulary)
    named = {danger: expressions for danger, expressions in terms.items() if _spelt(expressions, words)}
    return Prepared(train, val, boxes_train, boxes_val, words, named)


def _spelt(expressions: Sequence[str], vocabulary: vocab.Vocabulary) -> bool:
    return any(all(word in vocabulary.ids for word in expression.split()) for expression in expressions)


def _boxes(recipe: Recipe) -> tuple[list[BoxedPicture], list[BoxedPicture]]:
    if recipe.detector is None:
        return [], []
    train, val = [], []
    for source in recipe.data.boxes:
        train += coco.instances(source.train, source.images, source.absent)
        val += coco.instances(source.val, source.images, source.absent)
    train += [boxed for source in recipe.data.hazards for boxed in hazards.boxed(source.train)]
    val += [boxed for source in recipe.data.hazards for boxed in hazards.boxed(source.val)]
    unknown = set(recipe.detector.classes) - {name for boxed in train for name in boxed.labelled}
    if unknown:
        raise DataError(f"detector.classes: nothing in data.boxes or data.hazards is labelled {sorted(unknown)}")
    return train, val


def _check(train: list[Path], val: list[Path]) -> None:
    absent = pictures.missing([*train, *val])
    if absent:
        raise DataError(f"{len(absent)} pictures are not there, the first is {absent[0]}")
    both = set(train) & set(val)
    if both:
        raise DataError(f"{len(both)} pictures are in both train and val, one is {min(both)}")


def count(prepared: Prepared) -> list[tuple[str, str, int, int]]:
    """Count (set, split, pictures, sentences or boxes) for people to read."""
    rows = []
    for split, captioned in (("train", prepared.train), ("val", prepared.val)):
        for name in sorted({picture.dataset for picture in captioned}):
            mine = [picture for picture in captioned if picture.dataset == name]
            rows.append((name, split, len(mine), sum(len(picture.sentences) for picture in mine)))
    for split, boxed in (("train", prepared.boxes_train), ("val", prepared.boxes_val)):
        if boxed:
            rows.append(("boxes", split, len(boxed), sum(len(picture.boxes) for picture in boxed)))
    return rows


def keep_vocabulary(prepared: Prepared, run: Run) -> None:
    """Write the vocabulary of a run; raises `CheckpointError` where weights stand that were trained with another."""
    text = vocab.dump(prepared.vocabulary)
    old = run.vocabulary.read_text(encoding="utf-8") if run.vocabulary.exists() else text
    if old != text and run.best_captioner.exists():
        raise CheckpointError(
            f"{run.vocabulary}: {old.count(chr(10))} words, the recipe's data give {len(prepared.vocabulary)}; "
            f"the weights beside it speak the old ones: remove {run.folder} or name the recipe anew"
        )
    run.vocabulary.write_text(text, encoding="utf-8")
