"""Phrases: the n-grams whose place in a picture's sentences a model foretells, and how rare each of them is.

A text file of one phrase a line: its rarity, a tab, its words joined by spaces. The rarity is the inverse document
frequency by which CIDEr weighs n-grams (Vedantam et al. 2015, equation 2).
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from contract import vocabulary as vocab
from contract.errors import Refused
from contract.vocabulary import SPECIALS, Vocabulary

LONGEST: Final = 4
"""Words of the longest phrase; CIDEr's."""

Phrase = tuple[int, ...]
"""Token ids, without specials."""


def dump(rarities: Mapping[Phrase, float], vocabulary: Vocabulary) -> str:
    """Return the text of a phrases file, in the order of the mapping."""
    lines = (
        f"{rarity:.4f}\t{' '.join(vocabulary.words[token] for token in phrase)}\n"
        for phrase, rarity in rarities.items()
    )
    return "".join(lines)


def load(path: Path, vocabulary: Vocabulary) -> dict[Phrase, float]:
    """Read a phrases file; its order is that of `decoder_init`'s `expected`.

    Raises `Refused` ("missing-file", "not-utf8", "schema") naming the file, and the line where one is at fault.
    """
    return _read(vocab.lines(path), path, vocabulary)


def parse(data: bytes, path: Path, vocabulary: Vocabulary) -> dict[Phrase, float]:
    """Return the phrases that a file's bytes hold, as `load` does; raises `Refused` ("not-utf8", "schema")."""
    return _read(vocab.split(data, path), path, vocabulary)


def _read(lines: Sequence[str], path: Path, vocabulary: Vocabulary) -> dict[Phrase, float]:
    found: dict[Phrase, float] = {}
    for number, line in enumerate(lines, 1):
        rarity, tab, words = line.partition("\t")
        phrase = _phrase(words.split(" "), vocabulary)
        if not tab or phrase is None or not _is_rarity(rarity):
            right = f"a rarity of at least 0, a tab, and 1 to {LONGEST} words of the vocabulary joined by spaces"
            raise Refused("schema", f"{path}: line {number}: {line[:60]!r}; a line holds {right}")
        if phrase in found:
            raise Refused("schema", f"{path}: line {number}: {words!r} stands twice")
        found[phrase] = float(rarity)
    return found


def _phrase(words: Sequence[str], vocabulary: Vocabulary) -> Phrase | None:
    ids = tuple(vocabulary.ids.get(word, 0) for word in words)
    return ids if 1 <= len(ids) <= LONGEST and min(ids) >= len(SPECIALS) else None


def _is_rarity(text: str) -> bool:
    try:
        rarity = float(text)
    except ValueError:
        return False
    return math.isfinite(rarity) and rarity >= 0
