"""The `data` section of a recipe: datasets, their splits and their licences."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from contract.bundle import Licence

FEW_IMAGES: Final = 2000
"""Training images below which a captioner is better fine-tuned from a bundle than trained from scratch."""

Share = Annotated[float, Meta(ge=0, lt=1)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section of the recipe; an unknown key is refused."""


class Captions(Section, frozen=True, kw_only=True):
    """A captioned dataset; the format of each file is detected from its content (docs/trainer-data.md)."""

    name: str
    """Name of the dataset in reports."""
    images: Path
    """Folder of the images."""
    train: Path
    """Captions of the training split; with `captions`, a list of image names."""
    val: Path
    """Captions of the validation split; with `captions`, a list of image names."""
    captions: Path | None = None
    """The one file that holds the captions of every split, as Flickr8k has it."""


class Hazards(Section, frozen=True, kw_only=True):
    """Labelled hazard scenes: a list of `{file, label, source, boxes}` for each split.

    See `trainer.data.hazard_scenes`.
    """

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"drawn": "labelled_classes"}

    name: str
    train: Path
    val: Path
    sentences: Path
    """Templates that turn labels into sentences."""
    labelled_classes: dict[str, tuple[str, ...]] = msgspec.field(
        default_factory=lambda: {"gun": ("gun",), "weapon": ("weapon", "person"), "fire": ("fire", "smoke")}
    )
    """Classes annotated by each source; all other classes are unknown in its scenes, not absent."""


class Boxes(Section, frozen=True, kw_only=True):
    """COCO-style instances: a JSON with `images`, `annotations` and `categories` for each split."""

    name: str
    images: Path
    train: Path
    val: Path
    absent: tuple[str, ...] = ()
    """Classes that are certainly not in these images: a predicted box of one counts as a false positive."""


class PseudoLabels(Section, frozen=True, kw_only=True):
    """A larger detector whose boxes of people are used where nobody annotated people.

    See `trainer.training.pseudo_labels`.
    """

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"least_score": "min_score"}

    weights: Path
    """A YOLOX network as ONNX."""
    min_score: Share = 0.4
    """Boxes of a lower score are discarded."""


class Data(Section, frozen=True, kw_only=True):
    """Datasets, checks and licences."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"twins": "duplicates", "teacher": "pseudo_labels"}

    captions: tuple[Captions, ...]
    hazards: tuple[Hazards, ...] = ()
    boxes: tuple[Boxes, ...] = ()
    pseudo_labels: PseudoLabels | None = None
    licences: tuple[Licence, ...]
    """Terms of the data and weights, for the bundle."""
    unreadable: Literal["refuse", "skip"] = "refuse"
    """What to do with images that are missing or cannot be decoded."""
    duplicates: Literal["keep", "drop", "refuse"] = "keep"
    """What to do with training images whose bytes are also in val; near duplicates are only reported."""
