"""Splits a sentence into words, each with its stem, and is the one door to NLTK."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from nltk.stem.snowball import SnowballStemmer

from broker.rules.sentence import Sentence, Word

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


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """Give the Snowball (Porter2) stem of a lower-case word, irregular forms first.

    The cache holds more words than any captioner's vocabulary.
    """
    regular = IRREGULAR.get(word)
    return str(_stemmer.stem(regular or word))


@lru_cache(maxsize=1 << 16)
def _stem_of_token(token: str) -> str:
    word = token.removesuffix("'s")
    return "" if word in SMALL or not token[0].isalnum() else stem(word)


def of(text: str) -> frozenset[str]:
    """Give the stems of `read(text)`, and perhaps the empty one, in a fifth of its time."""
    return frozenset(map(_stem_of_token, _token.findall(text.lower().replace("’", "'"))))


@lru_cache(maxsize=1 << 12)
def read(text: str) -> Sentence:
    """Split a sentence into its words, without the small ones; a hyphen separates, an apostrophe does not.

    The cache serves scenes that do not change: their cameras say one sentence again and again.
    """
    lower = text.lower().replace("’", "'")
    words = tuple(_words(lower))
    return Sentence(lower, words, frozenset(word.stem for word in words))


def _words(lower: str) -> Iterator[Word]:
    breaks = False
    for token in _token.finditer(lower):
        if not token[0][0].isalnum():
            breaks = True
            continue
        word = token[0].removesuffix("'s")
        if word not in SMALL:
            yield Word(word, stem(word), breaks, token.start())
            breaks = False
