"""Tokenizers: words of the vocabulary, and tokens that metrics count."""

from collections.abc import Callable
from functools import cache

from trainer.tokenizers import english, surface
from trainer.tokenizers.analyser import Analyser, AnalyserMissing

Split = Callable[[str], tuple[str, ...]]
"""Splits a sentence into tokens."""

KOREAN = "ko"

__all__ = ["Analyser", "AnalyserMissing", "Split", "splitter", "tokenizer"]


def splitter(language: str, analyser: str = "") -> Split:
    """Return the splitter of sentences into words of a vocabulary, which `contract.vocabulary.text` joins again.

    `analyser` is `kiwi` or `okt` for Korean, empty for the language's own. Raises `AnalyserMissing` where it is not
    installed.
    """
    if language != KOREAN:
        return english.split
    chosen = korean(analyser or "kiwi")
    return lambda sentence: surface.pieces(*chosen.read(sentence))


def tokenizer(language: str) -> Split:
    """Return the function that splits sentences into the tokens that metrics count.

    For Korean these are Kiwi's morphemes, whichever analyser made the vocabulary: figures stay comparable. Raises
    `AnalyserMissing` where Kiwi is not installed.
    """
    if language != KOREAN:
        return english.split
    kiwi = korean("kiwi")
    return lambda sentence: surface.forms(kiwi.read(sentence)[1])


@cache
def korean(name: str) -> Analyser:
    """Load an analyser of Korean, once a process; raises `AnalyserMissing`."""
    if name == "okt":
        from trainer.tokenizers.okt import Okt  # noqa: PLC0415 - starts Java

        return Okt()
    from trainer.tokenizers.kiwi import Kiwi  # noqa: PLC0415 - loads 100 MB

    return Kiwi()
