"""The sweep: one YAML file that says which variants of a recipe to compare.

name: compare-rates
base: trainer-flickr8k.yaml       # a recipe; paths are relative to this file
set: {training.epochs: 5}         # fields that differ from it in every variant
fields:                           # every combination of these values
  training.optimizer: [adam, sgd]
  training.learning_rate: [0.001, 0.0001]
variants:                         # named sets of fields, each with every combination of `fields`
  - {name: english}
  - {name: korean, set: {language: ko}, needs: [../data/korean.json]}
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from contract import wire
from foundation import yaml_file
from trainer.errors import RecipeError
from trainer.recipe import recipe as recipes
from trainer.recipe.recipe import Recipe

MOST: Final = 200
"""Variants of a sweep; a larger grid is most likely a mistake."""

Name = Annotated[str, Meta(pattern=wire.NAME, description="1 to 63 of a-z, 0-9 and inner hyphens")]
Set = dict[str, Any]
"""Values by dotted field: `training.optimizer`."""


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named set of fields."""

    name: Name
    set: Set = {}
    needs: tuple[Path, ...] = ()
    """Files without which the variant is left out, and named, instead of being an error."""


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds."""

    name: Name
    base: Path
    set: Set = {}
    fields: dict[str, list[Any]] = {}
    variants: tuple[Variant, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """One variant, ready to be run as a recipe of its own."""

    recipe: Recipe
    changed: Set
    """Fields by which it differs from the other variants."""
    missing: str = ""
    """The file that it needs and that is not there; empty where it can run."""

    @property
    def name(self) -> str:
        """What it is called in tables, and its folder."""
        return self.recipe.name


@dataclass(frozen=True, slots=True)
class Sweep:
    """Everything to compare, in order."""

    name: str
    trials: tuple[Trial, ...]


def load(path: Path, base: Path | None = None, fields: Sequence[str] = ()) -> Sweep:
    """Read a sweep and build every variant's recipe.

    `base` replaces the file's own, `fields` (`training.epochs=1`) are set in every variant beyond the file's. Raises
    `Misconfigured` naming the file, the variant and the field, before anything is run.
    """
    document = yaml_file.load(path, Document)
    document = msgspec.structs.replace(document, set=document.set | dict(map(_assigned, fields)))
    origin = msgspec.to_builtins(recipes.load(base or document.base), enc_hook=_written)
    trials = tuple(_trials(path, document, origin))
    names = [trial.name for trial in trials]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise RecipeError(f"{path}: two variants would be called {twice[0]}; name them under `variants`")
    return Sweep(document.name, trials)


def write(recipe: Recipe, path: Path) -> None:
    """Write a recipe with every field and absolute paths, so that the run is self-contained."""
    path.write_bytes(msgspec.yaml.encode(msgspec.to_builtins(recipe, enc_hook=_written)))


def difference(old: Recipe, new: Recipe) -> str:
    """Name the first field in which two recipes differ, with both values; empty where they are the same."""
    before, after = (dict(_flat(msgspec.to_builtins(each, enc_hook=_written))) for each in (old, new))
    for field in dict.fromkeys([*before, *after]):
        if before.get(field) != after.get(field):
            return f"{field} was {before.get(field)!r} and is now {after.get(field)!r}"
    return ""


def _trials(path: Path, document: Document, origin: dict[str, Any]) -> Iterator[Trial]:
    if not document.fields and not document.variants:
        raise RecipeError(f"{path}: there is nothing to compare; give `fields` or `variants`")
    if empty := [field for field, values in document.fields.items() if not values]:
        raise RecipeError(f"{path}: fields.{empty[0]}: no values")
    combinations = list(itertools.product(*document.fields.values()))
    variants = document.variants or (None,)
    if len(combinations) * len(variants) > MOST:
        raise RecipeError(f"{path}: {len(combinations) * len(variants)} variants; at most {MOST} in one sweep")
    for variant in variants:
        for values in combinations:
            changed = {**(variant.set if variant else {}), **dict(zip(document.fields, values, strict=True))}
            names = [variant.name] if variant else []
            names += [_called(path, field, value) for field, value in zip(document.fields, values, strict=True)]
            recipe = _recipe(path, origin, {**document.set, **changed}, "-".join(names))
            needs = variant.needs if variant else ()
            missing = next((str(needed) for needed in needs if not needed.exists()), "")
            yield Trial(recipe, changed, missing)


def _assigned(text: str) -> tuple[str, Any]:
    field, separator, value = text.partition("=")
    if not separator or not field:
        raise RecipeError(f"--set {text}: must be FIELD=VALUE, such as training.epochs=1")
    return field, yaml_file.parse(value, f"--set {text}", Path.cwd()).tree


def _called(path: Path, field: str, value: Any) -> str:
    """Return the part of a variant's name that stands for a value: `adam`, `learning-rate-0-001`."""
    if isinstance(value, dict | list) or value is None:
        raise RecipeError(f"{path}: fields.{field}: give lists, mappings and null as named `variants`")
    leaf = field.rpartition(".")[2]
    text = value if isinstance(value, str) else f"{leaf}-{value}".lower()
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _recipe(path: Path, origin: dict[str, Any], fields: Set, name: str) -> Recipe:
    document = {**origin, "name": name}
    for field, value in fields.items():
        if field == "name":
            raise RecipeError(f"{path}: {name}: set.name: a variant's own name is its recipe's")
        document = _put(path, document, yaml_file.today(Recipe, field).split("."), value, field)
    return recipes.of(yaml_file.Document(f"{path}: {name}", path.resolve().parent, document))


def _put(path: Path, document: Any, keys: list[str], value: Any, field: str) -> dict[str, Any]:
    """Return the document with one field replaced; sections that the base leaves out begin empty."""
    first, *rest = keys
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise RecipeError(f"{path}: {field}: `{first}` is no part of a value; sections are joined by dots")
    return {**document, first: _put(path, document.get(first), rest, value, field) if rest else value}


def _flat(document: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _written(value: Any) -> str:
    """Write a path."""
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"a recipe holds no {type(value).__name__}")
