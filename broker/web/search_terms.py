"""Turns sentences and questions of two languages into the words that search compares."""

import re
from typing import Final

from broker.rules import sentence
from broker.store.search import Found, Indexed, SearchTerm

MAX_TERMS: Final = 12
"""Words of one question that are looked at: nobody types more, and each costs."""

_token: Final = re.compile(r"[^\W_]+")
_hangul: Final = re.compile(r"[가-힣]")
_particle: Final = re.compile(r"(?<=..)(?:에서|에게|으로|까지|부터|은|는|이|가|을|를|에|의|와|과|로|도)$|(?<=.)를$")
"""What Korean hangs on a noun: someone who types 남자가 looks for 남자는 as well. From three syllables on, because
short nouns may end the same way (아이, 가을)."""


def words(*texts: str) -> str:
    """Return the words that sentences are found by, separated by blanks, each once."""
    return " ".join(dict.fromkeys(_compared(token) for text in texts for token in _tokens(text)))


def entry(found: Found, translated: str) -> Indexed:
    """Return what search keeps of a caption and its translation."""
    return Indexed(found, translated, words(found.text, translated))


def asked(question: str) -> list[SearchTerm] | None:
    """Read what was typed into a search field; None where it is blank."""
    return terms(question) if question.strip() else None


def terms(question: str) -> list[SearchTerm]:
    """Read a question: every word of it has to be there, in any form."""
    found = []
    for token in _tokens(question):
        korean = _hangul.search(token) is not None
        found.append(SearchTerm(_particle.sub("", token) if korean else sentence.stem(token), prefix=korean))
    return list(dict.fromkeys(found))[:MAX_TERMS]


def _tokens(text: str) -> list[str]:
    return _token.findall(sentence.folded(text))


def _compared(token: str) -> str:
    return token if _hangul.search(token) else sentence.stem(token)
