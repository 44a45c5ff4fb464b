"""Kiwi (github.com/bab2min/Kiwi), an analyser of Korean whose model is part of its package."""

from collections.abc import Sequence
from typing import Any, Final
from unicodedata import normalize

from trainer.tokenizers.analyser import AnalyserMissing, Morpheme

BOUND: Final = ("J", "E", "XS", "VCP", "VCN")
"""First letters of the tags of particles, endings, suffixes and the copula (Sejong tag set)."""


class Kiwi:
    """Kiwi with its default model."""

    def __init__(self) -> None:
        """Load the model, about a second; raises `AnalyserMissing`."""
        try:
            import kiwipiepy  # noqa: PLC0415 - only Korean needs it
        except ImportError as error:
            raise AnalyserMissing(f"Korean needs Kiwi: `pip install kiwipiepy` ({error})") from error
        self._kiwi: Any = kiwipiepy.Kiwi(num_workers=1)

    def read(self, sentence: str) -> tuple[str, Sequence[Morpheme]]:
        """Analyse a sentence."""
        text = normalize("NFC", sentence)
        return text, [_morpheme(token) for token in self._kiwi.tokenize(text)]


def _morpheme(token: Any) -> Morpheme:
    return Morpheme(
        form=token.form,
        start=token.start,
        end=token.start + token.len,
        particle=token.tag.startswith("J"),
        bound=token.tag.startswith(BOUND),
    )
