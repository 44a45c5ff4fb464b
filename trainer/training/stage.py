"""A stage of training: what it needs, whether a recipe asks for it, whether it is done, and how it is run."""

from collections.abc import Callable
from dataclasses import dataclass

from trainer.data.prepare import Prepared
from trainer.distribution import Replicas
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import RunDir


@dataclass(frozen=True, slots=True)
class Context:
    """What every stage works on."""

    recipe: Recipe
    prepared: Prepared
    run: RunDir
    replicas: Replicas


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage; a finished one is skipped, and a killed one goes on where it was."""

    name: str
    """As `--stage` names it."""
    needs: tuple[str, ...]
    """Stages that come before it, where the recipe asks for them."""
    is_wanted: Callable[[Context], bool]
    """Whether the recipe asks for it."""
    is_done: Callable[[Context], bool]
    run: Callable[[Context], None]
    is_shared: bool = False
    """Whether all workers train it together; the chief alone runs any other."""
