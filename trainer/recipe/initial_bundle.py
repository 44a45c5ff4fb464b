"""The bundle that fine-tuning starts from: its words, its hazards and its classes of boxes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from contract import bundle, vocabulary
from contract.bundle import Manifest
from contract.errors import Refused
from contract.vocabulary import Vocabulary
from trainer.errors import CheckpointError, RecipeError
from trainer.recipe.recipe import Recipe

Head = Literal["hazard_classifier", "detector"]
"""A network that reads the encoder's maps and that a bundle may be without."""


@dataclass(frozen=True, slots=True)
class InitialBundle:
    """A bundle whose files are as its manifest says."""

    folder: Path
    manifest: Manifest
    words: Vocabulary


def is_bundle(path: Path) -> bool:
    """Return whether a path is the folder of a bundle."""
    return (path / bundle.MANIFEST).exists()


def load(folder: Path) -> InitialBundle:
    """Read and check a bundle; raises `CheckpointError` where it is not whole."""
    try:
        manifest = bundle.load(folder)
        words = vocabulary.load(folder / manifest.files["vocabulary"].name)
    except Refused as error:
        raise CheckpointError(f"{folder}: {error}") from error
    return InitialBundle(folder, manifest, words)


def of(recipe: Recipe) -> InitialBundle | None:
    """Return the bundle that a recipe's fine-tuning starts from; None where it starts from a run or from nothing.

    Raises `CheckpointError` for a bundle that is not whole, `RecipeError` for one of another language.
    """
    start = recipe.finetuning.start if recipe.finetuning is not None else None
    if start is None or not is_bundle(start):
        return None
    found = load(start)
    if found.manifest.language != recipe.language:
        raise RecipeError(
            f"language: {recipe.language} is not the language of {start}, where `finetuning` starts: "
            f"{found.manifest.language}"
        )
    return found


def kept_heads(recipe: Recipe, start: InitialBundle | None) -> frozenset[Head]:
    """Return the heads that the recipe asks for and has no data to train: they are kept as the bundle has them.

    Raises `RecipeError` where there is no such head to keep.
    """
    kept: set[Head] = set()
    if recipe.hazard_classifier is not None and not recipe.data.hazards:
        if start is None or not start.manifest.evidence:
            raise RecipeError(f"hazard_classifier: {_nothing('data.hazards')}")
        kept.add("hazard_classifier")
    if recipe.detector is not None and not recipe.data.boxes and not recipe.data.hazards:
        if start is None or start.manifest.detection is None:
            raise RecipeError(f"detector: {_nothing('data.boxes')}")
        if recipe.detector.classes != start.manifest.detection.classes:
            classes = ", ".join(start.manifest.detection.classes)
            raise RecipeError(f"detector.classes: must be those of {start.folder}, which are kept: [{classes}]")
        kept.add("detector")
    size = (recipe.encoder.height, recipe.encoder.width)
    if kept and start is not None and size != (right := (start.manifest.input.height, start.manifest.input.width)):
        raise RecipeError(f"encoder.height, encoder.width: must be {right[0]}, {right[1]}, as {start.folder} has them")
    return frozenset(kept)


def _nothing(field: str) -> str:
    return f"{field} has nothing to train it on; leave it out, or start `finetuning` from a bundle that has one to keep"
