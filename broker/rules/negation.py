"""Finds whether a sentence denies the danger that it names ("without a gun") or only supposes it ("as if to shoot")."""

from collections.abc import Sequence
from typing import Final

from broker.rules.phrase import Phrase
from broker.rules.reasons import Denied, Supposed
from broker.rules.sentence import Sentence, Span, Word

REACH: Final = {"no": 1, "without": 1, "not": 2, "never": 2, "nobody": 2, "none": 2, "neither": 2, "cannot": 2}
"""Words that deny, with how many words may stand between them and what they deny: "no visible fire" needs one,
"nobody is holding a gun" one more. A word ending in n't reaches as far as `not`."""

CARRIERS: Final = frozenset({"any", "or", "nor", "one", "sign", "signs", "trace", "of", "visible"})
"""Words that a denial passes through without getting weaker: "no sign of smoke or fire"."""

BARRIERS: Final = frozenset({"and", "but", "with", "while", "as", "who", "that", "because", "although"})
"""Words at which a denial ends: "a man without a shirt and with a gun" has a gun."""

SUPPOSED_REACH: Final = 2
"""Words that may stand between a supposition and what it supposes: "pretends to shoot a gun"."""

REAL: Final = frozenset({"what", "something", "it", "there"})
"""Words before a supposition that make it a cautious description of a real thing: "what looks like a gun"."""

RELATIVE: Final = frozenset({"that", "which"})
"""Words that may stand between: "something that looks like a gun"."""


def doubt(sentence: Sentence, span: Span, supposed: Sequence[Phrase] = ()) -> Denied | Supposed | None:
    """Return what denies or merely supposes the danger at `span`; None where nothing does."""
    last = Span(span.stop - 1, span.stop)
    denied = denial(sentence.words, span) or denial(sentence.words, last)
    if denied is not None:
        return Denied(denied, sentence.words_at(span))
    before = supposition(sentence, span, supposed)
    return None if before is None else Supposed(sentence.words_at(before), sentence.words_at(span))


def denial(words: Sequence[Word], span: Span) -> str | None:
    """Return the word that denies what stands at `span`, or None where nothing does."""
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


def supposition(sentence: Sentence, span: Span, supposed: Sequence[Phrase]) -> Span | None:
    """Return the words that make what stands at `span` a supposition; None where it is stated."""
    return next(
        (before for phrase in supposed for before in phrase.spans(sentence) if _bears(sentence, before, span)), None
    )


def _bears(sentence: Sentence, before: Span, span: Span) -> bool:
    """Return whether a supposition stands shortly before a danger, or between its words, and is meant."""
    words = sentence.words
    ahead = [word.text for word in words[: before.start] if word.text not in RELATIVE]
    if ahead and ahead[-1] in REAL:
        return False
    if span.start < before.start and before.stop < span.stop:
        return True
    between = words[before.stop : span.start]
    near = before.stop <= span.start and len(between) <= SUPPOSED_REACH
    return near and not any(word.breaks or word.text in BARRIERS for word in words[before.stop : span.start + 1])
