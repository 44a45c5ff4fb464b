"""Examples that models are trained on: an image file with its captions or its boxes."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CaptionExample:
    """An image with its captions, tokenized; a labelled scene may have none."""

    path: Path
    sentences: tuple[tuple[str, ...], ...]
    dataset: str
    label: str = ""
    """Label of a hazard scene (`none` for a peaceful one); empty for other images."""


@dataclass(frozen=True, slots=True)
class BoxExample:
    """An image with its boxes."""

    path: Path
    boxes: tuple[tuple[str, float, float, float, float], ...]
    """(class name, left, top, width, height), each as a share of the image, 0 to 1."""
    labelled: frozenset[str]
    """Classes that were annotated: only for these does no box mean no object."""
