"""What a model learns from: an image file with the sentences, or the boxes, that are true of it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CaptionExample:
    """One image; `sentences` are tokenized, and a labelled scene may have none."""

    path: Path
    sentences: tuple[tuple[str, ...], ...]
    dataset: str
    label: str = ""
    """Of a hazard scene; empty otherwise."""


@dataclass(frozen=True, slots=True)
class BoxExample:
    """An image with its boxes."""

    path: Path
    boxes: tuple[tuple[str, float, float, float, float], ...]
    """(class name, left, top, width, height), each as a share of the image, 0 to 1."""
    labelled: frozenset[str]
    """Classes that whoever drew the boxes looked for: no box means no object for these alone."""
