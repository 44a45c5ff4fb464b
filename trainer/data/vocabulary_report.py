"""How many words each way of cutting makes of the same captions, and how many of other captions it does not know."""

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

HELD_OUT: Final = 10
"""One image of so many is held out where no second file is given."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one way of cutting makes of the captions."""

    unit: str
    distinct: int
    """Different words in the captions to learn from."""
    vocabulary: int
    """Those frequent enough to be learnt."""
    tokens: int
    """Words in the captions held out, repeats included."""
    unknown: int
    """Those of them that are not learnt."""


def spaces(sentence: str) -> tuple[str, ...]:
    """Cut at spaces alone, which makes 사과를, 사과가 and 사과도 three words."""
    return tuple(sentence.split())


def ways(language: str) -> dict[str, Split]:
    """Return the ways of cutting that are installed here."""
    found: dict[str, Split] = {"spaces": spaces}
    for unit, analyser in (("kiwi", "kiwi"), ("okt", "okt")) if language == "ko" else (("words", ""),):
        try:
            found[unit] = splitter(language, analyser)
        except AnalyserMissing:
            continue
    return found


def read(learnt: Path, held: Path | None) -> tuple[list[str], list[str]]:
    """Read the captions to learn from and those held out: a second file, or every tenth image of the first.

    Raises `DataError` naming the file that is not in a known format.
    """
    source = Captions(name="captions", images=Path(), train=learnt, val=held or Path())
    if held is not None:
        return [text for _, text in _said(source, "train")], [text for _, text in _said(source, "val")]
    numbers: dict[str, int] = {}
    sides: tuple[list[str], list[str]] = ([], [])
    for file, text in _said(source, "train"):
        number = numbers.setdefault(file, len(numbers))
        sides[number % HELD_OUT == HELD_OUT - 1].append(text)
    if not sides[1]:
        raise DataError(f"{learnt}: {len(numbers)} images are too few to hold some out; give a second file")
    return sides


def compare(learnt: Sequence[str], held: Sequence[str], cuts: Mapping[str, Split], limits: Vocabulary) -> list[Row]:
    """Cut the same sentences in every way; raises `DataError` where no word is frequent enough."""
    return [_row(unit, tuple(map(cut, learnt)), tuple(map(cut, held)), limits) for unit, cut in cuts.items()]


def _row(unit: str, learnt: Sentences, held: Sentences, limits: Vocabulary) -> Row:
    distinct = {word for sentence in learnt for word in sentence}
    known = distinct & vocabulary.build([CaptionExample(Path(), learnt, "")], limits).ids.keys()
    said = [word for sentence in held for word in sentence]
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
