"""A sentence as rules see it: its words, and where each stands."""

from collections.abc import Sequence
from dataclasses import dataclass


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
        """Say whether the two share a word."""
        return self.start < other.stop and other.start < self.stop


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and its words, without the small ones."""

    text: str
    """In lower case."""
    words: Sequence[Word]
    stems: frozenset[str]

    def span_of(self, start: int, end: int) -> Span | None:
        """Give the words that characters `start` up to `end` touch; None where they touch none."""
        touched = [
            number for number, word in enumerate(self.words) if word.at < end and start < word.at + len(word.text)
        ]
        return Span(touched[0], touched[-1] + 1) if touched else None

    def quote(self, span: Span) -> str:
        """Give the words at a span as a reader is shown them."""
        return repr(" ".join(word.text for word in self.words[span.start : span.stop]))
