"""Splits Korean as it is written, so that joining the pieces restores the sentence.

Morphemes that share a syllable stay together (`했` of 하 + 었): a device that had to contract them again would need a
grammar. What has one grammar rule and many occurrences is folded: particles whose shape follows from the sound before
them become one word of the vocabulary, `+을/를`. `contract.korean` joins all of it.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from contract.korean import JOINER, SHAPES, shape
from trainer.tokenizers.analyser import Morpheme

PAIRS: Final = (
    ("은", "는"),
    ("이", "가"),
    ("을", "를"),
    ("과", "와"),
    ("으로", "로"),
    ("으로서", "로서"),
    ("으로써", "로써"),
    ("으로부터", "로부터"),
    ("이나", "나"),
    ("이랑", "랑"),
    ("이며", "며"),
    ("이고", "고"),
    ("이든", "든"),
    ("이든지", "든지"),
    ("이라도", "라도"),
    ("이라고", "라고"),
    ("이란", "란"),
    ("이야", "야"),
    ("아", "야"),
)
"""Particles in two shapes: after a final consonant, and after a vowel (Standard Korean Dictionary, at each)."""

_folded: Final = {
    written: tuple(SHAPES.join(pair) for pair in PAIRS if written in pair) for pair in PAIRS for written in pair
}
"""The pairs that each particle, as it is written, may belong to."""

SIGNS: Final = "%&℃"
"""What is said aloud although it is neither letter nor digit; all other signs are dropped, as from English captions."""

INSIDE: Final = ".,:'’-_"
"""Signs that stay between two letters or digits of one morpheme: `3.5`, `T-shirt`."""


def forms(morphemes: Iterable[Morpheme]) -> tuple[str, ...]:
    """Return morphemes as a dictionary spells them, without punctuation."""
    return tuple(one.form for one in morphemes if any(map(_is_said, one.form)))


def pieces(sentence: str, morphemes: Sequence[Morpheme]) -> tuple[str, ...]:
    """Return the words of a sentence for a vocabulary; `contract.korean.join` restores it without its punctuation."""
    owners = _owners(len(sentence), morphemes)
    kept = [at for at in range(len(sentence)) if _is_kept(sentence, owners, at)]
    found: list[str] = []
    before = -1
    for _, run in groupby(enumerate(kept), key=lambda step: (owners[step[1]], step[1] - step[0])):
        places = [at for _, at in run]
        written = sentence[places[0] : places[-1] + 1]
        mine = owners[places[0]]
        if before < 0 or not _attaches(sentence[before + 1 : places[0]], mine):
            found.append(written)
        else:
            found.append(JOINER + _fold(written, mine, sentence[before]))
        before = places[-1]
    return tuple(found)


def _owners(length: int, morphemes: Sequence[Morpheme]) -> list[tuple[Morpheme, ...]]:
    """Return for each character the morphemes that it is part of; overlapping ones are grouped."""
    owners: list[tuple[Morpheme, ...]] = [()] * length
    groups: list[list[Morpheme]] = []
    end = 0
    for one in sorted((one for one in morphemes if one.start < one.end), key=lambda one: (one.start, one.end)):
        if groups and one.start < end:
            groups[-1].append(one)
        else:
            groups.append([one])
        end = max(end, one.end)
    for group in groups:
        for at in range(group[0].start, min(length, max(one.end for one in group))):
            owners[at] = tuple(group)
    return owners


def _is_said(sign: str) -> bool:
    return sign.isalnum() or sign in SIGNS


def _is_kept(sentence: str, owners: Sequence[tuple[Morpheme, ...]], at: int) -> bool:
    if sentence[at] not in INSIDE or not 0 < at < len(sentence) - 1:
        return _is_said(sentence[at])
    duplicates = owners[at - 1] == owners[at] == owners[at + 1] != ()
    return duplicates and sentence[at - 1].isalnum() and sentence[at + 1].isalnum()


def _attaches(between: str, mine: tuple[Morpheme, ...]) -> bool:
    """Whether a piece stands right after the last one: nothing is between, or a quotation mark before a particle."""
    return not between or (bool(mine) and mine[0].bound and not any(map(str.isspace, between)))


def _fold(written: str, mine: tuple[Morpheme, ...], before: str) -> str:
    """Return the pair that a particle belongs to, where joining would write it just so; all else as it is written."""
    if len(mine) != 1 or not mine[0].particle:
        return written
    return next((pair for pair in _folded.get(written, ()) if shape(pair, before) == written), written)
