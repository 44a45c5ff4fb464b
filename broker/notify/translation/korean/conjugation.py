"""Conjugates Korean verbs from their dictionary form (달리다): 달린다, 달리는, 달리며, 달려.

Only the last word of a phrase is conjugated: 총을 들다 becomes 총을 든.
"""

from typing import Final

from broker.notify.translation.korean.phonology import FINALS, FIRST_SYLLABLE, NO_FINAL, RIEUL

_VOWELS: Final = 21
_A, _AE, _EO, _E, _YEO, _O, _WA, _U, _WO, _EU, _I = 0, 1, 4, 5, 6, 8, 9, 13, 14, 18, 20
"""Numbers of the vowels ㅏ ㅐ ㅓ ㅔ ㅕ ㅗ ㅘ ㅜ ㅝ ㅡ ㅣ in a syllable."""

_NIEUN, _DIGEUT, _BIEUP, _SIOS, _SSANGSIOS = 4, 7, 17, 19, 20
"""Numbers of the finals ㄴ ㄷ ㅂ ㅅ ㅆ."""

_CHANGING_FINAL: Final = frozenset(["걷", "듣", "싣", "눕", "줍", "굽", "돕", "짓", "붓", "젓"])
"""Stems whose ㄷ, ㅂ or ㅅ changes before a vowel; all others keep theirs."""

_DROPPING_EU: Final = frozenset(["따르", "들르", "치르"])
"""Stems in 르 that only lose their ㅡ; all others double the ㄹ (오르: 올라)."""

_UNCONTRACTED: Final = frozenset(["기", "피"])
"""Stems in ㅣ of one syllable that stay apart from 어 (기어)."""

_BRIGHT: Final = frozenset({_A, _O, 2})
"""Vowels that take 아 after them, not 어: ㅏ, ㅗ, ㅑ."""


def lasts(verb: str) -> bool:
    """Say whether a verb is 있다 or 없다, whose plain form is its dictionary form."""
    return verb.endswith(("있다", "없다"))


def joined(verb: str) -> str:
    """Return the stem with 고: 들고."""
    return _stem(verb) + "고"


def plain(verb: str) -> str:
    """Return the plain present: 달린다, 입는다, 든다."""
    if lasts(verb):
        return verb
    stem = _stem(verb)
    if _final(stem) in (NO_FINAL, RIEUL):
        return _with_final(stem, _NIEUN) + "다"
    return stem + "는다"


def present(verb: str) -> str:
    """Return the form before a noun of what goes on: 달리는, 드는."""
    stem = _stem(verb)
    return (_with_final(stem, NO_FINAL) if _final(stem) == RIEUL else stem) + "는"


def done(verb: str) -> str:
    """Return the form before a noun of what has been done: 입은, 든, 누운."""
    stem = _open(_stem(verb))
    return _with_final(stem, _NIEUN) if _final(stem) in (NO_FINAL, RIEUL) else stem + "은"


def to_come(verb: str) -> str:
    """Return the form before a noun of what will be done: 달릴, 입을."""
    stem = _open(_stem(verb))
    return _with_final(stem, RIEUL) if _final(stem) in (NO_FINAL, RIEUL) else stem + "을"


def meanwhile(verb: str, ending: str = "며") -> str:
    """Return the stem with (으)며, or another ending that takes 으 after a consonant: 달리며, 입으며, 들려고."""
    stem = _open(_stem(verb))
    return stem + ending if _final(stem) in (NO_FINAL, RIEUL) else stem + "으" + ending


def led(verb: str) -> str:
    """Return the form in 아 or 어: 앉아, 서, 달려, 올라, 누워, 하여 as 해."""
    stem = _stem(verb)
    end = _final(stem)
    if stem.endswith("하"):
        return stem[:-1] + "해"
    if end != NO_FINAL:
        return _led_closed(stem, end)
    if stem.endswith("르") and not stem.endswith(tuple(_DROPPING_EU)):
        before = stem[:-1]
        return _with_final(before, RIEUL) + ("라" if _vowel(before) in _BRIGHT else "러")
    return _led_open(stem)


def past(verb: str) -> str:
    """Return the plain past: 넘어졌다, 앉았다."""
    return _with_final(led(verb), _SSANGSIOS) + "다"


def _led_closed(stem: str, end: int) -> str:
    bright = _vowel(stem) in _BRIGHT
    if stem[-1] in _CHANGING_FINAL and end == _BIEUP:
        return _with_final(stem, NO_FINAL) + ("와" if stem[-1] == "돕" else "워")
    if stem[-1] in _CHANGING_FINAL and end == _SIOS:
        return _with_final(stem, NO_FINAL) + ("아" if bright else "어")
    changed = _with_final(stem, RIEUL) if stem[-1] in _CHANGING_FINAL and end == _DIGEUT else stem
    return changed + ("아" if bright else "어")


def _led_open(stem: str) -> str:
    vowel = _vowel(stem)
    if vowel in (_A, _AE, _EO, _E, _YEO):
        return stem
    if vowel == _EU:
        bright = len(stem) > 1 and "가" <= stem[-2] <= "힣" and _vowel(stem[:-1]) in _BRIGHT
        return _with_vowel(stem, _A if bright else _EO)
    contracted = {_O: _WA, _U: _WO}
    if vowel in contracted:
        return _with_vowel(stem, contracted[vowel])
    if vowel == _I and stem.rpartition(" ")[2] not in _UNCONTRACTED:
        return _with_vowel(stem, _YEO)
    return stem + "어"


def _open(stem: str) -> str:
    """Return a stem as it stands before 으: 걷 as 걸 with its 으 kept, 눕 as 누우, 짓 as 지으."""
    if stem[-1] not in _CHANGING_FINAL:
        return stem
    end = _final(stem)
    if end == _BIEUP:
        return _with_final(stem, NO_FINAL) + "우"
    if end == _SIOS:
        return _with_final(stem, NO_FINAL) + "으"
    return _with_final(stem, RIEUL) + "으"


def _stem(verb: str) -> str:
    return verb.removesuffix("다")


def _final(stem: str) -> int:
    return (ord(stem[-1]) - FIRST_SYLLABLE) % FINALS


def _vowel(stem: str) -> int:
    return (ord(stem[-1]) - FIRST_SYLLABLE) // FINALS % _VOWELS


def _with_final(stem: str, end: int) -> str:
    code = ord(stem[-1])
    return stem[:-1] + chr(code - (code - FIRST_SYLLABLE) % FINALS + end)


def _with_vowel(stem: str, vowel: int) -> str:
    code = ord(stem[-1]) - FIRST_SYLLABLE
    return stem[:-1] + chr(FIRST_SYLLABLE + (code // FINALS // _VOWELS * _VOWELS + vowel) * FINALS + code % FINALS)
