"""Which languages of captions the phrases of the rules can hear."""

import re
from typing import Final

from broker.rules.compiler import Rulebook
from broker.rules.phrase import Phrase

_SCRIPTS: Final = {"ko": re.compile("[가-힣]"), "en": re.compile("[a-z]", re.IGNORECASE)}
"""Languages by the letters of a phrase. Phrases in other languages that are written in Latin letters count as `en`."""


def heard(book: Rulebook) -> frozenset[str]:
    """Return the languages in which any rule has a phrase."""
    written = [
        " ".join(word for slot in said.slots for word in slot.words) if isinstance(said, Phrase) else said.text
        for rule in book.rules
        for said in rule.says
    ]
    return frozenset(name for name, script in _SCRIPTS.items() if any(script.search(text) for text in written))


def unheard(language: str, known: frozenset[str]) -> bool:
    """Return whether captions in a language (`ko`, `en-GB`) fire no rule by their words."""
    return language.partition("-")[0].lower() not in known
