"""Tells whether a sentence denies the danger it names: "no fire", "without a gun", "is not holding a knife"."""

from collections.abc import Sequence
from typing import Final

from broker.phrase import Span
from broker.stems import Word

REACH: Final = {"no": 1, "without": 1, "not": 2, "never": 2, "nobody": 2, "none": 2, "neither": 2, "cannot": 2}
"""Words that deny, with how many words may stand between them and what they deny: "no visible fire" needs one,
"nobody is holding a gun" one more. A word ending in n't reaches as far as `not`."""

CARRIERS: Final = frozenset({"any", "or", "nor", "one", "sign", "signs", "trace", "of", "visible"})
"""Words that a denial passes through without getting weaker: "no sign of smoke or fire"."""

BARRIERS: Final = frozenset({"and", "but", "with", "while", "as", "who", "that", "because", "although"})
"""Words at which a denial ends: "a man without a shirt and with a gun" has a gun."""


def denial(words: Sequence[Word], span: Span) -> str | None:
    """Give the word that denies what stands at `span`, or None where nothing does."""
    between = 0
    for at in range(span.start - 1, -1, -1):
        if words[at + 1].breaks or words[at].text in BARRIERS:
            return None
        word = words[at].text
        reach = 2 if word.endswith("n't") else REACH.get(word)
        if reach is not None:
            return word if between <= reach else None
        between += word not in CARRIERS
    return None
