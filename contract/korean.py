"""How Korean tokens become a sentence: spacing, and particles that take the shape the sound before them asks for.

A device has no morphological analyser, so the tokens themselves say how they are joined:

| Token | Joined |
|---|---|
| `남자` | stands after a space |
| `+다` | stands right after the token before it |
| `+을/를` | right after it, `을` after a final consonant and `를` after a vowel |

A pair that begins with `으` also takes its second shape after a final `ㄹ`: `+으로/로` gives `칼로`, `손으로`, `차로`.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

JOINER: Final = "+"
"""Opens a token that attaches to the one before it."""

SHAPES: Final = "/"
"""Stands between the two shapes of a particle: after a final consonant, and after a vowel."""

_FIRST_SYLLABLE: Final = 0xAC00
_LAST_SYLLABLE: Final = 0xD7A3
_FINALS: Final = 28
"""Finals a Hangul syllable may have, none at 0 (Unicode standard, section 3.12)."""
_LONGEST_SYLLABLE: Final = 3
"""Characters of a syllable in decomposed form (NFD): initial, vowel and final."""
_RIEUL: Final = 8
"""`ㄹ` among the finals."""

_FINAL_OF_SIGN: Final = {
    **dict.fromkeys("036MN", 1),  # 영 삼 육 엠 엔: any final but ㄹ
    **dict.fromkeys("178LR", _RIEUL),  # 일 칠 팔 엘 알
}
"""Finals of digits and capital letters as they are read aloud; those that are not here end in a vowel."""


def join(tokens: Iterable[str]) -> str:
    """Write tokens as a sentence; one that attaches stands alone where nothing is before it."""
    text = ""
    for token in tokens:
        if is_attached(token):
            text += shape(token.removeprefix(JOINER), text)
        else:
            text += f" {token}" if text else token
    return text


def is_attached(token: str) -> bool:
    """Tell whether a token stands right after the one before it."""
    return token.startswith(JOINER) and len(token) > len(JOINER)


def shape(piece: str, before: str) -> str:
    """Return a piece as it is written after `before`: one of the shapes where it has two."""
    closed, divider, open_ = piece.partition(SHAPES)
    if not (divider and closed and open_):
        return piece
    final = _final(unicodedata.normalize("NFC", before[-_LONGEST_SYLLABLE:])[-1:])
    return open_ if final == 0 or (final == _RIEUL and closed.startswith("으")) else closed


def _final(sign: str) -> int:
    """Number of the final consonant of what a character sounds like, 0 for none or unknown."""
    if sign and _FIRST_SYLLABLE <= ord(sign) <= _LAST_SYLLABLE:
        return (ord(sign) - _FIRST_SYLLABLE) % _FINALS
    return _FINAL_OF_SIGN.get(sign, 0)
