"""The bundle that fine-tuning starts from: its words, its hazards and its classes of boxes."""

from dataclasses import dataclass
from pathlib import Path

from contract import bundle, vocabulary
from contract.bundle import Manifest
from contract.errors import Refused
from contract.vocabulary import Vocabulary
from trainer.errors import CheckpointError, RecipeError
from trainer.recipe.recipe import Recipe


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
