"""Makes the regular forms of English nouns and verbs."""

import re
from typing import Final

_VOWELS: Final = "aeiou"

UNSTRESSED: Final = ("en", "er", "el", "on", "or")
"""Last syllables that are not stressed, and so double nothing: threaten, sharpen, gather."""

_SINGLE: Final = frozenset(
    [
        "kayak",
        "follow",
        "visit",
        "edit",
        "target",
        "exit",
        "appear",
        "clean",
        "collar",
        "eat",
        "lean",
        "look",
        "wait",
        "cook",
        "stoop",
        "float",
        "peek",
        "read",
        "steer",
        "cheer",
        "explode",
        "restrain",
    ]
)
"""Verbs that look as if they doubled their last consonant and do not."""


def plural(noun: str) -> str:
    """Return the plural; of a noun of several words, that of the last."""
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in _VOWELS:
        return noun[:-1] + "ies"
    return noun + "s"


def third(verb: str) -> str:
    """Return the third person of the present: runs, catches, flies, does."""
    if verb in ("be", "have"):
        return {"be": "is", "have": "has"}[verb]
    return verb + "es" if verb.endswith("o") else plural(verb)


def ing(verb: str) -> str:
    """Return the form in -ing: running, riding, lying."""
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")) and verb != "be":
        return verb[:-1] + "ing"
    return _doubled(verb) + "ing"


def past(verb: str) -> str:
    """Return the regular past: jumped, hugged, carried."""
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in _VOWELS:
        return verb[:-1] + "ied"
    return _doubled(verb) + "ed"


def _doubled(verb: str) -> str:
    """Double a last consonant behind a single vowel: run, runn-."""
    last = verb.rpartition(" ")[2]
    if len(last) < 3 or verb in _SINGLE or last[-1] in _VOWELS + "wxy":
        return verb
    if last.endswith(UNSTRESSED) and len(re.findall(r"[aeiou]+", last)) > 1:
        return verb
    single = last[-2] in _VOWELS and (last[-3] not in _VOWELS or last[-4:-2] == "qu")
    return verb + verb[-1] if single else verb
