"""Decides which rules a caption fires, and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from broker.config import time_interval
from broker.rules import company as company_
from broker.rules import negation
from broker.rules import sentence as sentence_
from broker.rules.company import Company
from broker.rules.compiler import EVERYWHERE, Entry, Pattern, Rule, Rulebook
from broker.rules.reasons import (
    HazardBelieved,
    LabelCounted,
    LabelMissing,
    LowConfidence,
    OnlyIn,
    Reason,
    Reasons,
    Says,
)
from broker.rules.schema import Count
from broker.rules.sentence import Sentence, Span
from contract.caption import Caption, Label

NEVER: Final = 2.0
"""No probability is so high."""

NOTHING: Final[Mapping[str, tuple[Entry, ...]]] = {}


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
    labels: Mapping[str, Label] = field(default_factory=dict)
    """What the detector counted, by name."""
    zones: frozenset[str] = frozenset()
    """What the camera looks at."""
    company: Company = field(default_factory=Company)
    """Who is in view."""
    profile: str = ""
    """The profile in force at the site; "" where that is unknown: rules of every profile apply."""
    local: datetime | None = None
    """When it was taken, by the clock of the site; None where it is unknown: rules of every hour apply."""

    @classmethod
    def of(
        cls,
        caption: Caption,
        *,
        zones: frozenset[str] = frozenset(),
        local: datetime | None = None,
        profile: str = "",
    ) -> Self:
        """Return what rules look at in an event."""
        hazards = {hazard.term: hazard.probability for hazard in caption.hazards}
        labels = {label.name: label for label in caption.labels}
        place = (caption.site, caption.device, caption.stream)
        return cls(
            caption.text,
            caption.confidence,
            hazards,
            *place,
            labels=labels,
            zones=zones,
            company=Company.of(caption),
            profile=profile,
            local=local,
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule made of a caption that names its danger."""

    rule: Rule
    fired: bool
    reasons: Reasons
    """Why it fired, or what cancelled it."""


def may_concern(book: Rulebook, caption: Caption) -> bool:
    """Return quickly whether any rule may have a finding for a caption; for most captions none has."""
    index = book.index
    if index.regexes or any(label.name in index.labels for label in caption.labels):
        return True
    if any(hazard.probability >= index.least.get(hazard.term, NEVER) for hazard in caption.hazards):
        return True
    if index.by_company and any(True for _ in _in_company(book, caption.site, Company.of(caption))):
        return True
    words = sentence_.stems_of(caption.text)
    return any(True for _ in _spoken_of(book, caption.site, words))


def judge(book: Rulebook, seen: Seen) -> list[Finding]:
    """Return a finding for every rule whose danger a caption names, in the order of the file."""
    sentence = sentence_.read(seen.text)
    numbers = set(_candidates(book, seen, sentence))
    rules = (book.rules[number] for number in sorted(numbers))
    findings = (_apply(book, rule, seen, sentence) for rule in rules if _concerns(rule, seen))
    return [finding for finding in findings if finding is not None]


def _candidates(book: Rulebook, seen: Seen, sentence: Sentence) -> Iterator[int]:
    """Yield the numbers of the rules that may have a finding."""
    index = book.index
    yield from _spoken_of(book, seen.site, sentence.stems)
    for site in _sites(seen.site):
        for entries, words in ((index.by_hazard, seen.hazards), (index.by_label, seen.labels)):
            of_site = entries.get(site, NOTHING)
            yield from (number for word in of_site.keys() & words.keys() for number, _ in of_site[word])
    yield from _in_company(book, seen.site, seen.company)
    for expression, number in index.regexes:
        if any(True for _ in expression.spans(sentence)):
            yield number


def _in_company(book: Rulebook, site: str, company: Company) -> Iterator[int]:
    """Yield the numbers of the rules that go by who is in view alone, and hold."""
    for number in (number for place in _sites(site) for number in book.index.by_company.get(place, ())):
        if company_.holds(book.rules[number].company, company):
            yield number


def _spoken_of(book: Rulebook, site: str, words: frozenset[str]) -> Iterator[int]:
    """Return the numbers of the rules of which a sentence has the words."""
    for entries in (book.index.by_stem.get(site, NOTHING) for site in _sites(site)):
        if entries.keys().isdisjoint(words):
            continue
        for word in entries.keys() & words:
            for number, others in entries[word]:
                if not any(other.isdisjoint(words) for other in others):
                    yield number


def _sites(site: str) -> tuple[str, ...]:
    return (EVERYWHERE, site) if site else (EVERYWHERE,)


def _concerns(rule: Rule, seen: Seen) -> bool:
    """Return whether a rule holds for this camera at this hour."""
    if not rule.holds_at(seen.site, seen.device, seen.stream, seen.zones):
        return False
    if rule.profiles and seen.profile and seen.profile not in rule.profiles:
        return False
    return not rule.when or seen.local is None or time_interval.holds_at(rule.when, seen.local)


def _apply(book: Rulebook, rule: Rule, seen: Seen, sentence: Sentence) -> Finding | None:
    if rule.is_of_company_alone:
        return _of_company(rule, seen, sentence)
    grounds = [*_spoken(book, rule, sentence), *_believed(rule, seen, sentence), *_counted(rule, seen)]
    if not grounds:
        return None
    cancelled_by = _cancelled_by(rule, seen, sentence)
    if cancelled_by is not None:
        return Finding(rule, fired=False, reasons=(cancelled_by,))
    for found in grounds:
        if found.cancelled_by is None:
            return Finding(rule, fired=True, reasons=(found.reason,))
    cancelled = grounds[0].cancelled_by
    return Finding(rule, fired=False, reasons=() if cancelled is None else (cancelled,))


def _of_company(rule: Rule, seen: Seen, sentence: Sentence) -> Finding | None:
    """Return the finding of a rule that goes by who is in view alone."""
    found = company_.answers(rule.company, seen.company)
    if not all(answer.holds for answer in found):
        return None
    cancelled_by = _cancelled_by(rule, seen, sentence)
    reasons = tuple(answer.reason for answer in found) if cancelled_by is None else (cancelled_by,)
    return Finding(rule, fired=cancelled_by is None, reasons=reasons)


@dataclass(frozen=True, slots=True)
class _Ground:
    """Why a rule would fire, and what cancels that; None where nothing does."""

    reason: Reason
    cancelled_by: Reason | None


def _spoken(book: Rulebook, rule: Rule, sentence: Sentence) -> Iterator[_Ground]:
    """Return a reason for every place where the sentence names the danger."""
    named = [span for pattern in rule.says for span in pattern.spans(sentence)]
    taken = [span for pattern in rule.exceptions for span in pattern.spans(sentence)] if named else []
    for span in named:
        cancelled: Reason | None = negation.doubt(sentence, span, book.supposed)
        over = next((other for other in taken if other.overlaps(span)), None)
        if cancelled is None and over is not None:
            cancelled = OnlyIn(sentence.words_at(over))
        yield _Ground(Says(sentence.words_at(span)), cancelled)


def _believed(rule: Rule, seen: Seen, sentence: Sentence) -> Iterator[_Ground]:
    """Return a reason for every danger that the model believes in; the sentence may explain it away."""
    for term, least in rule.hazards.items():
        probability = seen.hazards.get(term, 0.0)
        if probability >= least:
            yield _Ground(HazardBelieved(term, probability, least), _first(rule.exceptions, sentence))


def _counted(rule: Rule, seen: Seen) -> Iterator[_Ground]:
    """Return a reason for everything that the detector counted enough of."""
    for name, wanted in rule.labels.items():
        if _is_enough(seen.labels.get(name), wanted):
            yield _Ground(LabelCounted(name, seen.labels[name].count, wanted.count), None)


def _cancelled_by(rule: Rule, seen: Seen, sentence: Sentence) -> Reason | None:
    """Return what cancels the rule as a whole, if anything does."""
    if seen.confidence < rule.min_confidence:
        return LowConfidence(seen.confidence, rule.min_confidence)
    for name, wanted in rule.requires.items():
        if not _is_enough(seen.labels.get(name), wanted):
            return LabelMissing(name, wanted.count)
    for answer in company_.answers(rule.company, seen.company):
        if not answer.holds:
            return answer.reason
    return _first(rule.unless, sentence)


def _is_enough(label: Label | None, wanted: Count) -> bool:
    return label is not None and label.count >= wanted.count and label.score >= wanted.score


def _first(patterns: Sequence[Pattern], sentence: Sentence) -> Says | None:
    spans: Iterator[Span] = (span for pattern in patterns for span in pattern.spans(sentence))
    return next((Says(sentence.words_at(span)) for span in spans), None)
