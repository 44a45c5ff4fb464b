"""Replays captions through the rules: what would fire, what is cancelled, and why."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from broker.config.broker import Severity
from broker.config.errors import Misconfigured
from broker.config.sites import Places
from broker.rules import engine
from broker.rules.company import PERSON, Company
from broker.rules.compiler import Rulebook
from broker.rules.engine import Finding, Seen
from broker.rules.reasons import Reasons, SeenTooRarely
from contract.caption import Hazard, Label, Visit

LONGEST_MEMORY: Final = 50
"""Captions of a camera that `seen.of` may look back at."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What one rule made of one caption."""

    finding: Finding
    missing: SeenTooRarely | None = None
    """Why it does not count yet, where it fired and was not seen often enough."""

    @property
    def counts(self) -> bool:
        """Whether it would raise an alarm."""
        return self.finding.fired and not self.missing

    @property
    def reasons(self) -> Reasons:
        """Why it would, or would not."""
        return self.finding.reasons if self.missing is None else (*self.finding.reasons, self.missing)


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
        """Judge a caption taken at a moment; where the moment is unknown, every caption counts as recent."""
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


def _missing(
    finding: Finding, past: Sequence[tuple[datetime | None, frozenset[str]]], at: datetime | None
) -> SeenTooRarely | None:
    need = finding.rule.need
    if not finding.fired or need.times <= 1:
        return None
    recent = [
        finding.rule.name in saw for when, saw in past if at is None or when is None or at - need.within < when <= at
    ]
    return need.missing(recent)


class Line(msgspec.Struct, frozen=True):
    """One line of the file: the fields of a caption event or of `wordcam-edge caption --json`; others are ignored."""

    text: str
    confidence: float = 1.0
    hazards: tuple[Hazard, ...] | dict[str, float] | None = None
    labels: tuple[Label, ...] | None = None
    site: str = ""
    device: str = ""
    stream: str = ""
    captured_at: Annotated[datetime, Meta(tz=True)] | None = None
    people: int | None = None
    visits: tuple[Visit, ...] | None = None
    file: str | None = None
    """The picture, where the line came from one."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that would raise an alarm."""

    rule: str
    severity: Severity
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A rule that names the danger and yet keeps quiet."""

    rule: str
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """What the rules make of one line."""

    text: str
    fired: Sequence[Fired]
    cancelled: Sequence[Cancelled]
    file: str | None = None
    captured_at: datetime | None = None
    camera: str | None = None
    """`site/device/stream`, where it is known."""


@dataclass
class Trial:
    """Tries one rulebook. It remembers the captions of each camera, for rules that need more than one sighting."""

    book: Rulebook
    places: Places = field(default_factory=Places.nameless)
    _replay: Replay = field(init=False)

    def __post_init__(self) -> None:
        self._replay = Replay(self.book)

    @property
    def totals(self) -> Totals:
        """What became of all lines so far."""
        return self._replay.totals

    def run(self, lines: Iterable[str], *, origin: str) -> Iterator[LineOutcome]:
        """Judge JSON lines, skipping empty ones; raises `Misconfigured` naming the line that cannot be read."""
        for number, text in enumerate(lines, start=1):
            if text.strip():
                yield self.judge(_read(text, f"{origin}:{number}"))

    def judge(self, line: Line) -> LineOutcome:
        """Judge one line."""
        return _outcome(line, self._replay.judge(self._seen(line), at=line.captured_at))

    def _seen(self, line: Line) -> Seen:
        if isinstance(line.hazards, dict):
            hazards = line.hazards
        else:
            hazards = {hazard.term: hazard.probability for hazard in line.hazards or ()}
        place = (line.site, line.device, line.stream)
        local = self.places.local(line.captured_at, line.site) if line.captured_at else None
        return Seen(
            line.text,
            line.confidence,
            hazards,
            *place,
            labels={label.name: label for label in line.labels or ()},
            zones=self.places.zones_of(*place),
            company=Company(_people(line), line.visits or ()),
            profile="" if local is None else self.places.profile_at(local, line.site),
            local=local,
        )


def _people(line: Line) -> int:
    """Return the people in view; of a line that does not say so, those that the detector counted."""
    if line.people is not None:
        return line.people
    return next((label.count for label in line.labels or () if label.name == PERSON), 0)


def _read(text: str, where: str) -> Line:
    try:
        return msgspec.json.decode(text, type=Line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        example = '{"text": "a fire burns"}'
        raise Misconfigured(f"{where}: {error}; each line is one JSON object like {example}") from error


def _outcome(line: Line, judged: list[Judged]) -> LineOutcome:
    rule = [one.finding.rule for one in judged]
    return LineOutcome(
        text=line.text,
        fired=[
            Fired(rule.name, rule.severity, one.reasons) for rule, one in zip(rule, judged, strict=True) if one.counts
        ],
        cancelled=[Cancelled(one.finding.rule.name, one.reasons) for one in judged if not one.counts],
        file=line.file,
        captured_at=line.captured_at,
        camera="/".join((line.site, line.device, line.stream)) if line.stream else None,
    )
