"""Tries the rules on sentences from a file: what would fire, what is cancelled, and why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from broker import rules
from broker.config import Severity
from broker.errors import Misconfigured
from broker.rulebook import Rulebook
from broker.rules import Finding, Seen
from contract.caption import Hazard


class Line(msgspec.Struct, frozen=True):
    """One line of the file: what a caption event or `wordcam-edge caption --json` says; other fields are let be."""

    text: str
    confidence: float = 1.0
    hazards: tuple[Hazard, ...] | dict[str, float] | None = None
    site: str = ""
    device: str = ""
    stream: str = ""
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


@dataclass(frozen=True, slots=True)
class Trial:
    """One rulebook on trial."""

    book: Rulebook

    def run(self, lines: Iterable[str], *, origin: str) -> Iterator[Outcome]:
        """Judge JSON lines, skipping empty ones; raises `Misconfigured` naming the line that cannot be read."""
        for number, text in enumerate(lines, start=1):
            if text.strip():
                line = _read(text, f"{origin}:{number}")
                findings = rules.judge(self.book, _seen(line))
                yield _outcome(line, findings)


def _read(text: str, where: str) -> Line:
    try:
        return msgspec.json.decode(text, type=Line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        example = '{"text": "a fire burns"}'
        raise Misconfigured(f"{where}: {error}; each line is one JSON object like {example}") from error


def _seen(line: Line) -> Seen:
    if isinstance(line.hazards, dict):
        hazards = line.hazards
    else:
        hazards = {hazard.term: hazard.probability for hazard in line.hazards or ()}
    return Seen(line.text, line.confidence, hazards, line.site, line.device, line.stream)


def _outcome(line: Line, findings: list[Finding]) -> Outcome:
    return Outcome(
        text=line.text,
        fired=[Fired(found.rule.name, found.rule.severity, found.because) for found in findings if found.fired],
        cancelled=[Cancelled(found.rule.name, found.because) for found in findings if not found.fired],
        file=line.file,
    )
