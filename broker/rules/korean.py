"""Brings Korean words to the stem that rules compare: without particles after a noun and common endings of a verb."""

import re
from typing import Final

_SYLLABLES: Final = re.compile(r"[가-힣]+")

_PARTICLES: Final = (
    *("에게서", "으로부터", "에서는", "에서", "에게", "까지", "부터", "처럼", "마다", "으로", "이나", "이랑", "이라"),
    *("들이", "들을", "들은", "들의", "들과", "들에게", "하고", "한다", "하는", "하며", "했다", "하여", "해서", "한"),
    *("고", "며", "면서", "려고", "는다", "었다", "았다", "였다", "는", "은", "을", "를", "이", "가", "와", "과", "의"),
    *("에", "로", "도", "만", "들", "다", "랑"),
)
"""The longest that fits is taken away once: 총을, 총이, 총으로 are 총; 위협하고, 위협한다 are 위협."""

_LONGEST_FIRST: Final = tuple(sorted(_PARTICLES, key=len, reverse=True))


def is_korean(word: str) -> bool:
    """Return whether a word is of Hangul syllables alone."""
    return _SYLLABLES.fullmatch(word) is not None


def stem(word: str) -> str:
    """Return a Korean word without its particle or ending; a syllable at least stays."""
    for particle in _LONGEST_FIRST:
        if len(word) > len(particle) and word.endswith(particle):
            return word.removesuffix(particle)
    return word
