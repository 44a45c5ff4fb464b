"""Invented things: sentences that name what no person who saw the image named.

The share of sentences with such a word is CHAIR_s (Rohrbach et al. 2018, arXiv:1809.02156) by captions alone: their
other half, the objects that were annotated, is known of few of our images. So a thing that is there and that nobody
wrote of counts as invented; the fewer captions an image has, the more of these there are.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from trainer.metrics.grams import References, Tokens
from trainer.metrics.things import OTHER, THINGS, WIDER

Things = frozenset[str]


def _expressions() -> dict[tuple[str, ...], Things]:
    found = {
        tuple(word.split("_")): frozenset({thing, *WIDER.get(thing, ())})
        for thing, words in THINGS.items()
        for word in words.split()
    }
    return {**found, **{tuple(word.split("_")): frozenset() for word in OTHER.split()}}


EXPRESSIONS: Final[Mapping[tuple[str, ...], Things]] = _expressions()
LONGEST: Final = max(map(len, EXPRESSIONS))


def named(sentence: Tokens) -> set[str]:
    """Return the things that an English sentence names; of expressions that overlap, the first and longest counts."""
    found: set[str] = set()
    at = 0
    while at < len(sentence):
        sizes = range(LONGEST, 0, -1)
        size = next((size for size in sizes if tuple(sentence[at : at + size]) in EXPRESSIONS), 0)
        found |= EXPRESSIONS.get(tuple(sentence[at : at + size]), frozenset())
        at += max(size, 1)
    return found


def invents(candidate: Tokens, references: References) -> bool:
    """Say whether a sentence names a thing that none of its references names."""
    return bool(named(candidate) - set().union(*map(named, references)))


def invented(candidates: Sequence[Tokens], references: Sequence[References]) -> float:
    """Return the share of sentences, 0 to 1, that name a thing that none of their references names."""
    found = [invents(candidate, written) for candidate, written in zip(candidates, references, strict=True)]
    return sum(found) / len(found) if found else 0.0
