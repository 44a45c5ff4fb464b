"""Decides which rules a caption fires, and says why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from broker import negation, stems
from broker.phrase import Phrase, Span
from broker.rulebook import Rule, Rulebook
from broker.stems import Word
from contract.caption import Caption


@dataclass(frozen=True, slots=True)
class Seen:
    """What rules look at in a caption."""

    text: str
    confidence: float = 1.0
    hazards: Mapping[str, float] = field(default_factory=dict)
    """Probability of each danger, 0 to 1."""
    site: str = ""
    device: str = ""
    stream: str = ""

    @classmethod
    def of(cls, caption: Caption) -> Self:
        """Take from an event what rules look at."""
        hazards = {hazard.term: hazard.probability for hazard in caption.hazards}
        return cls(caption.text, caption.confidence, hazards, caption.site, caption.device, caption.stream)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule made of a caption that names its danger."""

    rule: Rule
    fired: bool
    because: str


def judge(book: Rulebook, seen: Seen) -> list[Finding]:
    """Give a finding for every rule whose danger a caption names, in the order of the file."""
    words = stems.words(seen.text)
    numbers = {number for word in words for number in book.by_stem.get(word.stem, ())}
    numbers.update(number for term in seen.hazards for number in book.by_hazard.get(term, ()))
    rules = (book.rules[number] for number in sorted(numbers))
    findings = (_apply(rule, seen, words) for rule in rules if rule.holds_at(seen.site, seen.device, seen.stream))
    return [finding for finding in findings if finding is not None]


def _apply(rule: Rule, seen: Seen, words: Sequence[Word]) -> Finding | None:
    reasons = [*_spoken(rule, words), *_believed(rule, seen, words)]
    if not reasons:
        return None
    held_back = _held_back(rule, seen, words)
    if held_back is not None:
        return Finding(rule, fired=False, because=held_back)
    standing = next((reason.because for reason in reasons if not reason.cancelled_by), None)
    if standing is not None:
        return Finding(rule, fired=True, because=standing)
    return Finding(rule, fired=False, because=reasons[0].cancelled_by)


@dataclass(frozen=True, slots=True)
class _Reason:
    """Why a rule would fire, and what cancels that; "" where nothing does."""

    because: str
    cancelled_by: str


def _spoken(rule: Rule, words: Sequence[Word]) -> Iterator[_Reason]:
    """Give a reason for every place where the sentence names the danger."""
    taken = [span for phrase in rule.exceptions for span in phrase.spans(words)]
    for phrase in rule.says:
        for span in phrase.spans(words):
            said = _quote(words, span)
            denied = negation.denial(words, span)
            over = next((other for other in taken if other.overlaps(span)), None)
            cancelled = (
                f"{denied!r} stands before {said}" if denied else f"only in {_quote(words, over)}" if over else ""
            )
            yield _Reason(f"says {said}", cancelled)


def _believed(rule: Rule, seen: Seen, words: Sequence[Word]) -> Iterator[_Reason]:
    """Give a reason for every danger that the model believes in; the sentence may explain it away."""
    for term, least in rule.hazards.items():
        probability = seen.hazards.get(term, 0.0)
        if probability >= least:
            excuse = _first(rule.exceptions, words)
            yield _Reason(
                f"hazard {term} {probability:.2f} is at least {least:.2f}", f"says {excuse}" if excuse else ""
            )


def _held_back(rule: Rule, seen: Seen, words: Sequence[Word]) -> str | None:
    """Say what cancels the rule as a whole, if anything does."""
    if seen.confidence < rule.min_confidence:
        return f"confidence {seen.confidence:.2f} is below {rule.min_confidence:.2f}"
    excuse = _first(rule.unless, words)
    return f"says {excuse}" if excuse else None


def _first(phrases: Sequence[Phrase], words: Sequence[Word]) -> str:
    spans = (span for phrase in phrases for span in phrase.spans(words))
    return next((_quote(words, span) for span in spans), "")


def _quote(words: Sequence[Word], span: Span) -> str:
    return repr(" ".join(word.text for word in words[span.start : span.stop]))
