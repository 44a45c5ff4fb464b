"""The part of a recipe that says where everything comes from."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from contract.bundle import Licence

Share = Annotated[float, Meta(ge=0, lt=1)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the recipe; a key it does not know is refused."""


class Captions(Section, frozen=True, kw_only=True):
    """Pictures that people have described; docs/trainer-data.md shows each format, which a file's own content tells."""

    name: str
    """What the set is called in reports."""
    images: Path
    """Folder of the pictures."""
    train: Path
    """Captions to learn from; with `captions`, a list of names of pictures."""
    val: Path
    """Captions to choose by; with `captions`, a list of names of pictures."""
    captions: Path | None = None
    """The one file that holds the captions of every split, as Flickr8k has it."""


class Hazards(Section, frozen=True, kw_only=True):
    """Labelled danger scenes: a list of `{file, label, source, boxes}` for each split.

    See `trainer.data.hazard_scenes`.
    """

    name: str
    train: Path
    val: Path
    sentences: Path
    """Templates that turn labels into sentences."""
    drawn: dict[str, tuple[str, ...]] = msgspec.field(
        default_factory=lambda: {"gun": ("gun",), "weapon": ("weapon", "person"), "fire": ("fire", "smoke")}
    )
    """Classes that each source drew boxes for; all others are unknown in its scenes, not absent."""


class Boxes(Section, frozen=True, kw_only=True):
    """COCO-style instances: a JSON with `images`, `annotations` and `categories` for each split."""

    name: str
    images: Path
    train: Path
    val: Path
    absent: tuple[str, ...] = ()
    """Classes that nobody drew here because the pictures do not show them: a box there is a mistake."""


class Teacher(Section, frozen=True, kw_only=True):
    """A larger detector that draws people where nobody did; see `trainer.training.pseudo_labels`."""

    weights: Path
    """A YOLOX network as ONNX."""
    least_score: Share = 0.4
    """Boxes of a lower score are not believed."""


class Data(Section, frozen=True, kw_only=True):
    """Where everything comes from."""

    captions: tuple[Captions, ...]
    hazards: tuple[Hazards, ...] = ()
    boxes: tuple[Boxes, ...] = ()
    teacher: Teacher | None = None
    licences: tuple[Licence, ...]
    """Terms of the data and weights, for the bundle."""
    unreadable: Literal["refuse", "skip"] = "refuse"
    """What becomes of pictures that are not there or cannot be decoded."""
    twins: Literal["keep", "drop", "refuse"] = "keep"
    """What becomes of pictures of train whose very bytes are in val too; near twins are only named."""
