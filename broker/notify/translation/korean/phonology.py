"""Chooses the form of a Korean particle by the sound that a word ends in."""

import re
from typing import Final

FIRST_SYLLABLE: Final = 0xAC00
LAST_SYLLABLE: Final = 0xD7A3
"""Hangul syllables: 19 initials x 21 vowels x 28 finals in this order (Unicode Standard, section 3.12)."""

FINALS: Final = 28
RIEUL: Final = 8
"""Number of the final ㄹ, after which 로 stays 로."""

NO_FINAL: Final = 0

_DIGITS: Final = dict(zip("0123456789", "영일이삼사오육칠팔구", strict=True))
"""Digits are read the Sino-Korean way, and end as these syllables do."""

_FORMS: Final = {
    "을": ("을", "를", "을(를)"),
    "이": ("이", "가", "이(가)"),
    "은": ("은", "는", "은(는)"),
    "과": ("과", "와", "과(와)"),
    "로": ("으로", "로", "(으)로"),
}
"""Each particle after a consonant, after a vowel, and where the sound is not known (Latin letters)."""

_ALIASES: Final = {"를": "을", "가": "이", "는": "은", "와": "과", "으로": "로"}

_place = re.compile(r"~(?:(으로|을|를|이|가|은|는|과|와|로)(?=$|[^가-힣]|서))?")


def final(word: str) -> int | None:
    """Return the number of the last syllable's final consonant, 0 for none; None where the sound is not known."""
    last = word.rstrip(")]\"' ")[-1:]
    code = ord(_DIGITS.get(last, last)) if last else 0
    if FIRST_SYLLABLE <= code <= LAST_SYLLABLE:
        return (code - FIRST_SYLLABLE) % FINALS
    return None


def particle(word: str, which: str) -> str:
    """Return the particle named by either of its forms as it sounds after a word."""
    after_consonant, after_vowel, unknown = _FORMS[_ALIASES.get(which, which)]
    end = final(word)
    if end is None:
        return unknown
    if end == NO_FINAL or (end == RIEUL and after_vowel == "로"):
        return after_vowel
    return after_consonant


def marked(word: str, which: str) -> str:
    """Return a word with its particle."""
    return word + particle(word, which)


def fill(pattern: str, word: str) -> str:
    """Put a word in the place of `~`, and the particle that stands there into its right form."""
    return _place.sub(lambda found: word + (particle(word, found[1]) if found[1] else ""), pattern)


def fill_two(pattern: str, first: str, second: str) -> str:
    """Put two words in the places of `~` and `^`."""
    before, mark, after = fill(pattern, first).partition("^")
    return before + fill("~" + after, second) if mark else before
