"""Judges captions one after the other as they were said, remembering what each camera saw before."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from broker.rules import engine
from broker.rules.compiler import Rulebook
from broker.rules.engine import Finding, Seen

LONGEST_MEMORY: Final = 50
"""Captions of a camera that `seen.of` may look back at."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What one rule made of one caption."""

    finding: Finding
    missing: str = ""
    """Why it does not count yet, where it fired and was not seen often enough."""

    @property
    def counts(self) -> bool:
        """Whether it would raise an alarm."""
        return self.finding.fired and not self.missing

    @property
    def because(self) -> str:
        """Why it would, or would not."""
        return f"{self.finding.because}; {self.missing}" if self.missing else self.finding.because


@dataclass
class Totals:
    """What became of all captions so far, by rule."""

    sentences: int = 0
    alarming: int = 0
    """Sentences that raise an alarm."""
    fired: Counter[str] = field(default_factory=Counter)
    cancelled: Counter[str] = field(default_factory=Counter)
    not_yet: Counter[str] = field(default_factory=Counter)


@dataclass
class Replay:
    """One rulebook, and what each camera saw lately."""

    book: Rulebook
    totals: Totals = field(default_factory=Totals)
    _past: dict[tuple[str, ...], deque[tuple[datetime | None, frozenset[str]]]] = field(default_factory=dict)

    def judge(self, seen: Seen, *, at: datetime | None) -> list[Judged]:
        """Judge a caption said at a moment; where nobody knows when, every caption is as recent as any."""
        findings = engine.judge(self.book, seen)
        past = self._past.setdefault((seen.site, seen.device, seen.stream), deque(maxlen=LONGEST_MEMORY))
        judged = [Judged(finding, _missing(finding, past, at)) for finding in findings]
        past.appendleft((at, frozenset(finding.rule.name for finding in findings if finding.fired)))
        self._count(judged)
        return judged

    def _count(self, judged: Sequence[Judged]) -> None:
        totals = self.totals
        totals.sentences += 1
        totals.alarming += any(one.counts for one in judged)
        for one in judged:
            counter = totals.fired if one.counts else totals.not_yet if one.missing else totals.cancelled
            counter[one.finding.rule.name] += 1


def _missing(finding: Finding, past: Sequence[tuple[datetime | None, frozenset[str]]], at: datetime | None) -> str:
    need = finding.rule.need
    if not finding.fired or need.times <= 1:
        return ""
    recent = [
        finding.rule.name in saw for when, saw in past if at is None or when is None or at - need.within < when <= at
    ]
    return need.missing(recent)
