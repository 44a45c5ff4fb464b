"""Compares ways of tokenizing captions: size of the vocabulary, and unknown words of captions held out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainer.data import vocabulary
from trainer.data.example import CaptionExample
from trainer.data.formats import captions
from trainer.data.quality.issues import Findings
from trainer.errors import DataError
from trainer.recipe.data import Captions
from trainer.recipe.recipe import Vocabulary
from trainer.tokenizers import AnalyserMissing, Split, splitter

Sentences = tuple[tuple[str, ...], ...]

VAL_EVERY: Final = 10
"""One image in so many is held out where no second file is given."""


@dataclass(frozen=True, slots=True)
class Row:
    """Counts of one way of tokenizing."""

    unit: str
    distinct: int
    """Distinct words of the training captions."""
    vocabulary: int
    """Those frequent enough for the vocabulary."""
    tokens: int
    """Words in the captions held out, repeats included."""
    unknown: int
    """Those that are not in the vocabulary."""


def spaces(sentence: str) -> tuple[str, ...]:
    """Split at spaces alone, which makes 사과를, 사과가 and 사과도 three words."""
    return tuple(sentence.split())


def ways(language: str) -> dict[str, Split]:
    """Return the tokenizers that are installed."""
    found: dict[str, Split] = {"spaces": spaces}
    for unit, analyser in (("kiwi", "kiwi"), ("okt", "okt")) if language == "ko" else (("words", ""),):
        try:
            found[unit] = splitter(language, analyser)
        except AnalyserMissing:
            continue
    return found


def read(train: Path, val: Path | None) -> tuple[list[str], list[str]]:
    """Return the training captions and those held out: a second file, or every tenth image of the first.

    Raises `DataError` naming the file that is not in a known format.
    """
    source = Captions(name="captions", images=Path(), train=train, val=val or Path())
    if val is not None:
        return [text for _, text in _said(source, "train")], [text for _, text in _said(source, "val")]
    numbers: dict[str, int] = {}
    sides: tuple[list[str], list[str]] = ([], [])
    for file, text in _said(source, "train"):
        number = numbers.setdefault(file, len(numbers))
        sides[number % VAL_EVERY == VAL_EVERY - 1].append(text)
    if not sides[1]:
        raise DataError(f"{train}: {len(numbers)} images are too few to hold some out; give a second file")
    return sides


def compare(train: Sequence[str], val: Sequence[str], cuts: Mapping[str, Split], limits: Vocabulary) -> list[Row]:
    """Return the counts of each tokenizer on the same captions; raises `DataError` where no word is frequent enough."""
    return [_row(unit, tuple(map(cut, train)), tuple(map(cut, val)), limits) for unit, cut in cuts.items()]


def _row(unit: str, train: Sentences, val: Sentences, limits: Vocabulary) -> Row:
    distinct = {word for sentence in train for word in sentence}
    known = distinct & vocabulary.build([CaptionExample(Path(), train, "")], limits).ids.keys()
    said = [word for sentence in val for word in sentence]
    return Row(
        unit=unit,
        distinct=len(distinct),
        vocabulary=len(known),
        tokens=len(said),
        unknown=sum(word not in known for word in said),
    )


def _said(source: Captions, split: captions.Split) -> Iterator[tuple[str, str]]:
    for said in captions.read(source, split, Findings().of(split)):
        if said.text is not None:
            yield said.file, said.text
