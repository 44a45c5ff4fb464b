"""The port to a morphological analyser of Korean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from trainer.errors import OperatorError


class AnalyserMissing(OperatorError):
    """An analyser, or what it runs on, is not installed; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Morpheme:
    """A morpheme and where it is written; two that are contracted to one syllable share it."""

    form: str
    """As a dictionary spells it: `하` and `었` of `했다`."""
    start: int
    """First character in the sentence."""
    end: int
    """One past the last; equal to `start` for one that is understood and not written."""
    particle: bool
    """Whether it follows a noun and takes its shape from its sound: `을`, `가`, `로`."""
    bound: bool
    """Whether it can only stand right after another: a particle, an ending, a suffix."""


class Analyser(Protocol):
    """What an adapter must do."""

    def read(self, sentence: str) -> tuple[str, Sequence[Morpheme]]:
        """Return the sentence as the morphemes' places count it (Unicode NFC), and its morphemes in order."""
