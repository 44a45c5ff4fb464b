"""What a model learns from: a picture file with the sentences, or the boxes, that are true of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from contract import vocabulary as vocab
from trainer.errors import DataError
from trainer.recipe.recipe import Vocabulary


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture; `sentences` are tokenized, and a labelled scene may have none."""

    path: Path
    sentences: tuple[tuple[str, ...], ...]
    dataset: str
    label: str = ""
    """Of a hazard scene; empty otherwise."""


@dataclass(frozen=True, slots=True)
class BoxedPicture:
    """A picture with its boxes."""

    path: Path
    boxes: tuple[tuple[str, float, float, float, float], ...]
    """(class name, left, top, width, height), each as a share of the picture, 0 to 1."""
    labelled: frozenset[str]
    """Classes that whoever drew the boxes looked for: no box means no object for these alone."""


def vocabulary(pictures: Iterable[Picture], limits: Vocabulary) -> vocab.Vocabulary:
    """Collect the frequent words, most frequent first, alphabetically among equals; raises `DataError` for none."""
    counts = Counter(word for picture in pictures for sentence in picture.sentences for word in sentence)
    frequent = [(-count, word) for word, count in counts.items() if count >= limits.min_count]
    if not frequent:
        raise DataError(f"vocabulary.min_count: no word occurs {limits.min_count} times in the training sentences")
    return vocab.of(word for _, word in sorted(frequent)[: limits.max_words])


def missing(paths: Iterable[Path]) -> list[Path]:
    """List the pictures whose file is not there."""
    return [path for path in paths if not path.is_file()]
