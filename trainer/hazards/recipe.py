"""The recipe of a classifier of dangers: one YAML file. Every default stands here once; paths are relative to it."""

from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract.bundle import Licence
from foundation import yaml_file
from trainer.recipe.data import Section

Positive = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]

DANGERS: Final = ("armed", "gun", "knife", "fire", "smoke", "fight", "falling", "fallen")
"""What the classifier learns: `gun` and `knife` say of which kind a weapon is, where there is one."""


class Scenes(Section, frozen=True, kw_only=True):
    """Labelled scenes: a list of `{file, label, source, clip, width, height, boxes}` for each split."""

    name: str
    train: Path
    val: Path


class Everyday(Section, frozen=True, kw_only=True):
    """Everyday pictures in COCO's format: with captions, which say what is not known of them, or with boxes."""

    name: str
    images: Path
    train: Path
    val: Path | None = None


class Source(Section, frozen=True, kw_only=True):
    """What is known of one source of scenes."""

    boxed: tuple[str, ...] = ()
    """Dangers that it drew wherever they are: a crop without a box is calm."""
    calm: bool = False
    """Every picture is calm, whatever its label: knives on set tables."""
    clips_are_places: bool = False
    """Pictures of one clip show one place."""
    unknown: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Of pictures with a label, dangers that may be there as well."""


class Fit(Section, frozen=True, kw_only=True):
    """How the classifier is fitted: the mean of a linear one and of one with a hidden layer beside it."""

    hidden: Positive = 24
    linear_epochs: Positive = 16
    hidden_epochs: Positive = 12
    batch: Positive = 1024


class Bounds(Section, frozen=True, kw_only=True):
    """How many false alarms a danger may raise; of every source, on places that the classifier has not seen."""

    upper: Share = 0.02
    """Upper 95 % bound of the share of a source's calm pictures."""
    share: Share = 0.015
    """Share that a source may reach in any case: of few pictures no such bound can be kept."""
    foreign_share: dict[str, Share] = msgspec.field(default_factory=dict)
    """By danger, share of the calm pictures of any source that was not learnt from that may raise it."""
    known_calm_share: Share = 0.01
    """Mean share of the sources' calm pictures at a camera that knows its own calm, whose threshold may lie lower."""
    quantile: Annotated[float, Meta(ge=0.5, lt=1)] = 0.9995
    """Share of a camera's calm that must lie below its own threshold."""


class Movement(Section, frozen=True, kw_only=True):
    """What several looks add to the evidence of one."""

    flow: tuple[str, ...] = ()
    """Dangers that people's movement is weighed for; learnt from `clips`."""
    falls: dict[str, Annotated[float, Meta(gt=0, le=10)]] = msgspec.field(default_factory=dict)
    """By danger, log-odds that somebody who stood and does so no more adds."""
    penalty: Annotated[float, Meta(gt=0)] = 5.0
    """What a squared weight costs, in clips."""
    most: Annotated[float, Meta(gt=0, le=10)] = 3.0
    """Log-odds that movement adds or takes at most."""


class HazardRecipe(Section, frozen=True, kw_only=True):
    """Everything that makes a classifier for a bundle."""

    version: Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+$")]
    """Version of the bundle with it."""
    seed: int = 1
    scenes: tuple[Scenes, ...]
    everyday: tuple[Everyday, ...] = ()
    people: tuple[Everyday, ...] = ()
    clips: Path | None = None
    """Folder of `SPLIT_KIND_NAME.mp4`, whose frames are fights (`fight`) or calm (`noFight`, `ADL`)."""
    sources: dict[str, Source] = msgspec.field(default_factory=dict)
    left_out: tuple[tuple[str, ...], ...] = ()
    """Groups of sources that are left out in turn, to see what to expect of others."""
    in_training: tuple[str, ...] = ()
    """Sources whose places the encoder itself was tuned on so much that leaving them out proves nothing: no threshold
    is chosen by their largest place."""
    mislabelled: tuple[str, ...] = ()
    """Files that are labelled calm and show a danger: neither taught nor counted."""
    crop_weight: Share = 0.5
    """Share of the clearest crop in the log-odds of weapons."""
    fit: Fit = msgspec.field(default_factory=Fit)
    movement: Movement = msgspec.field(default_factory=Movement)
    bounds: Bounds = msgspec.field(default_factory=Bounds)
    licences: tuple[Licence, ...] = ()
    """Terms of data that the bundle does not name yet."""


def load(path: Path) -> HazardRecipe:
    """Read a recipe; raises `Misconfigured` naming the file, the line, the field and what is right."""
    return yaml_file.load(path, HazardRecipe)
