"""Splits a sentence into words, each with its stem, and is the one door to NLTK."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from nltk.stem.snowball import SnowballStemmer

_ARTICLES = {"a", "an", "the", "some", "his", "her", "its", "their", "my", "your", "our"}
_AUXILIARIES = {"is", "are", "was", "were", "be", "been", "being", "has", "have", "had"}

SMALL: Final = frozenset(_ARTICLES | _AUXILIARIES)
"""Words that say nothing about danger and are skipped: "holding a gun" and "is holding his gun" are the same."""

IRREGULAR: Final = {
    "knives": "knife",
    "fought": "fight",
    "fell": "fall",
    "fallen": "fall",
    "shot": "shoot",
    "held": "hold",
    "swung": "swing",
    "threw": "throw",
    "thrown": "throw",
    "broke": "break",
    "broken": "break",
    "caught": "catch",
    "lost": "lose",
    "stuck": "stick",
    "burnt": "burn",
    "ate": "eat",
    "eaten": "eat",
    "slept": "sleep",
    "asleep": "sleep",
    "lay": "lie",
    "laying": "lie",
    "lays": "lie",
    "laid": "lie",
    "lain": "lie",
    "men": "man",
    "women": "woman",
    "people": "person",
    "persons": "person",
    "children": "child",
    "kids": "kid",
    "leaves": "leaf",
}
"""Forms that suffix stripping cannot bring together. `lay` counts as `lie`, as those who describe pictures use it."""

_token = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[.,;:!?]")
_stemmer = SnowballStemmer("english")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a sentence."""

    text: str
    """As written, in lower case."""
    stem: str
    """What it is compared by."""
    breaks: bool
    """Whether punctuation stands between it and the word before."""


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """Give the Snowball (Porter2) stem of a lower-case word, irregular forms first.

    The cache holds more words than any captioner's vocabulary.
    """
    regular = IRREGULAR.get(word)
    return str(_stemmer.stem(regular or word))


def words(sentence: str) -> tuple[Word, ...]:
    """Split a sentence into its words, without the small ones; a hyphen separates, an apostrophe does not."""
    return tuple(_words(sentence))


def _words(sentence: str) -> Iterator[Word]:
    breaks = False
    for token in _token.findall(sentence.lower().replace("’", "'")):
        if not token[0].isalnum():
            breaks = True
            continue
        word = token.removesuffix("'s")
        if word not in SMALL:
            yield Word(word, stem(word), breaks)
            breaks = False
