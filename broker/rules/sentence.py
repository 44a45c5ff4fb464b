"""A sentence as rules see it: its words, their stems and positions. The one module that imports the stemmer."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import snowballstemmer

from broker.rules import korean

_ARTICLES = {"a", "an", "the", "some", "his", "her", "its", "their", "my", "your", "our"}
_AUXILIARIES = {"is", "are", "was", "were", "be", "been", "being", "has", "have", "had"}

SMALL: Final = frozenset(_ARTICLES | _AUXILIARIES)
"""Words that matter for no danger and are skipped: "holding a gun" and "is holding his gun" are the same."""

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
_stemmer = snowballstemmer.stemmer("english")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a sentence."""

    text: str
    """As written, in lower case."""
    stem: str
    """What it is compared by."""
    breaks: bool
    """Whether punctuation stands between it and the word before."""
    at: int = 0
    """Where its first character stands in the sentence."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where a phrase stands in a sentence: words `start` up to, not including, `stop`."""

    start: int
    stop: int

    def overlaps(self, other: "Span") -> bool:
        """Return whether the two share a word."""
        return self.start < other.stop and other.start < self.stop


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and its words, without the small ones."""

    text: str
    """As it is compared; see `folded`."""
    words: Sequence[Word]
    stems: frozenset[str]

    def span_of(self, start: int, end: int) -> Span | None:
        """Return the words that characters `start` up to `end` touch; None where they touch none."""
        touched = [
            number for number, word in enumerate(self.words) if word.at < end and start < word.at + len(word.text)
        ]
        return Span(touched[0], touched[-1] + 1) if touched else None

    def words_at(self, span: Span) -> str:
        """Return the words at a span, in lower case."""
        return " ".join(word.text for word in self.words[span.start : span.stop])


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """Return the Snowball (Porter2) stem of a lower-case word, irregular forms first; of a Korean one, its own.

    The cache holds more words than any captioner's vocabulary.
    """
    if korean.is_korean(word):
        return korean.stem(word)
    regular = IRREGULAR.get(word)
    return str(_stemmer.stemWord(regular or word))


@lru_cache(maxsize=1 << 16)
def _stem_of_token(token: str) -> str:
    word = token.removesuffix("'s")
    return "" if word in SMALL or not token[0].isalnum() else stem(word)


def folded(text: str) -> str:
    """Return text as it is compared: composed (NFC), in lower case, with straight apostrophes."""
    return unicodedata.normalize("NFC", text).lower().replace("’", "'")


def stems_of(text: str) -> frozenset[str]:
    """Return the stems of `read(text)`, and perhaps the empty one, in a fifth of its time."""
    return frozenset(map(_stem_of_token, _token.findall(folded(text))))


@lru_cache(maxsize=1 << 12)
def read(text: str) -> Sentence:
    """Split a sentence into its words, without the small ones; a hyphen separates, an apostrophe does not.

    The cache serves scenes that do not change: their cameras say one sentence again and again.
    """
    lower = folded(text)
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
