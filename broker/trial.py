"""Tries the rules on sentences from a file: what would fire, what is cancelled, and why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from broker.config.broker import Severity
from broker.config.errors import Misconfigured
from broker.config.sites import Places
from broker.rules.compiler import Rulebook
from broker.rules.engine import Seen
from broker.rules.replay import Judged, Replay, Totals
from contract.caption import Hazard, Label


class Line(msgspec.Struct, frozen=True):
    """One line of the file: what a caption event or `wordcam-edge caption --json` says; other fields are let be."""

    text: str
    confidence: float = 1.0
    hazards: tuple[Hazard, ...] | dict[str, float] | None = None
    labels: tuple[Label, ...] | None = None
    site: str = ""
    device: str = ""
    stream: str = ""
    captured_at: Annotated[datetime, Meta(tz=True)] | None = None
    file: str | None = None
    """The picture, where the line came from one."""


class Fired(msgspec.Struct, frozen=True):
    """A rule that would raise an alarm."""

    rule: str
    severity: Severity
    because: str


class Cancelled(msgspec.Struct, frozen=True):
    """A rule that names the danger and yet keeps quiet."""

    rule: str
    because: str


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the rules make of one line."""

    text: str
    fired: list[Fired] = msgspec.UNSET  # type: ignore[assignment]  # always given; UNSET keeps an empty list in the JSON
    cancelled: list[Cancelled] = msgspec.UNSET  # type: ignore[assignment]  # as above
    file: str | None = None
    captured_at: datetime | None = None
    camera: str | None = None
    """`site/device/stream`, where it is known."""


@dataclass
class Trial:
    """One rulebook on trial. It remembers what each camera said, for rules that ask for more than one sighting."""

    book: Rulebook
    places: Places = field(default_factory=Places.nameless)
    _replay: Replay = field(init=False)

    def __post_init__(self) -> None:
        self._replay = Replay(self.book)

    @property
    def totals(self) -> Totals:
        """What became of all lines so far."""
        return self._replay.totals

    def run(self, lines: Iterable[str], *, origin: str) -> Iterator[Outcome]:
        """Judge JSON lines, skipping empty ones; raises `Misconfigured` naming the line that cannot be read."""
        for number, text in enumerate(lines, start=1):
            if text.strip():
                yield self.judge(_read(text, f"{origin}:{number}"))

    def judge(self, line: Line) -> Outcome:
        """Judge one line."""
        return _outcome(line, self._replay.judge(self._seen(line), at=line.captured_at))

    def _seen(self, line: Line) -> Seen:
        if isinstance(line.hazards, dict):
            hazards = line.hazards
        else:
            hazards = {hazard.term: hazard.probability for hazard in line.hazards or ()}
        place = (line.site, line.device, line.stream)
        return Seen(
            line.text,
            line.confidence,
            hazards,
            *place,
            labels={label.name: label for label in line.labels or ()},
            zones=self.places.zones_of(*place),
            local=self.places.local(line.captured_at, line.site) if line.captured_at else None,
        )


def _read(text: str, where: str) -> Line:
    try:
        return msgspec.json.decode(text, type=Line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        example = '{"text": "a fire burns"}'
        raise Misconfigured(f"{where}: {error}; each line is one JSON object like {example}") from error


def _outcome(line: Line, judged: list[Judged]) -> Outcome:
    rule = [one.finding.rule for one in judged]
    return Outcome(
        text=line.text,
        fired=[
            Fired(rule.name, rule.severity, one.because) for rule, one in zip(rule, judged, strict=True) if one.counts
        ],
        cancelled=[Cancelled(one.finding.rule.name, one.because) for one in judged if not one.counts],
        file=line.file,
        captured_at=line.captured_at,
        camera="/".join((line.site, line.device, line.stream)) if line.stream else None,
    )
