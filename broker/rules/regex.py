"""Regular expressions in rules; the one module that imports RE2.

RE2 takes time linear in the text whatever the expression is; Python's own may take longer than the universe on
`(a+)+$`, and one operator's slip would stop every alarm.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import re2

from broker.rules.sentence import Sentence, Span

MAX_CHARS: Final = 500
"""Of one expression: longer than any that a person can check."""


@dataclass(frozen=True, slots=True)
class Regex:
    """A compiled expression; `text` is how the operator wrote it, between slashes."""

    text: str
    compiled: Any

    def spans(self, sentence: Sentence) -> Iterator[Span]:
        """Return the words that each match covers or touches."""
        for match in self.compiled.finditer(sentence.text):
            span = sentence.span_of(match.start(), match.end())
            if span is not None:
                yield span


def is_regex(text: str) -> bool:
    """Return whether a phrase of the rules file is a regular expression: `/.../`."""
    return len(text) > 1 and text.startswith("/") and text.endswith("/")


def compile(text: str) -> Regex:  # noqa: A001 - read as `regex.compile`
    """Compile `/.../`, upper and lower case alike; raises `ValueError` saying what is wrong with it."""
    body = text[1:-1]
    if not body or len(body) > MAX_CHARS:
        raise ValueError(f"{text[:40]!r}: an expression has between 1 and {MAX_CHARS} characters")
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    try:
        compiled = re2.compile(unicodedata.normalize("NFC", body), options=options)
    except re2.error as error:
        problem = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"{text!r} is no regular expression that RE2 knows: {problem}") from error
    if compiled.match("") is not None:
        raise ValueError(f"{text!r} matches the empty text; write what to look for")
    return Regex(text, compiled)
