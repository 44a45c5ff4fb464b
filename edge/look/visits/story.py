"""Story: what is worth a caption while people are followed, in words that change when the scene does."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from contract.caption import InZone, Visit
from edge import config
from edge.infer.captioner import Sentence
from edge.look.gate import WORTH, Reason
from edge.look.visits.journal import News
from edge.look.wording import MANY, NUMBERS

GENERIC: Final = re.compile(
    r"^(?:nobody is in view|people are in view|"
    r"(?:a person is|(?:two|three|four|five|a group of) people are) in (?:view|a \w+)(?:, on the left|, on the right|"
    r", in the middle)?)$"
)
"""Sentences that say only how many people are in view: a story says more."""

SUBJECT: Final = re.compile(r"^a(?: young| old| older| little)? (?:man|woman|boy|girl|child|person|worker|guy|lady)\b")
"""What a sentence about one person calls them."""


class Worth(StrEnum):
    """What a look is worth."""

    NOTHING = "nothing"
    """No caption."""
    SENTENCE = "sentence"
    """A caption, if the sentence says something else than the last one."""
    CAPTION = "caption"
    """A caption."""


def judge(  # noqa: PLR0913  # what may speak for a caption
    reason: Reason,
    news: News,
    *,
    is_danger_ongoing: bool,
    told_seconds: float,
    asked_seconds: float,
    gate: config.Gate,
    visits: config.Visits,
) -> Worth:
    """Decide what a look is worth.

    `told_seconds` have passed since the last caption, `asked_seconds` since a sentence was last written.
    """
    if reason in {Reason.FIRST, Reason.SCENE, Reason.OVERDUE} or (is_danger_ongoing and reason in WORTH):
        return Worth.CAPTION
    if told_seconds < gate.min_gap_seconds:
        return Worth.NOTHING
    has_news = news is News.NOW or (news is News.SOON and told_seconds >= visits.gap_seconds)
    if has_news or told_seconds >= gate.overdue_seconds:
        return Worth.CAPTION
    if reason is Reason.MOTION and asked_seconds >= visits.gap_seconds:
        return Worth.SENTENCE
    return Worth.NOTHING


@dataclass(slots=True)
class Story:
    """The last sentence said, and one that may take its place."""

    said: Sentence | None = None
    people: int = 0
    _candidate: str = ""

    def settle(self, sentence: Sentence, people: int, *, is_fresh: bool) -> Sentence:
        """Return what to say: the sentence before, unless the scene is another one or says so twice in a row.

        `is_fresh` says that the sentence before does not count: a danger, a new scene, or nobody in view.
        """
        last = self.said
        is_other = last is None or is_fresh or people != self.people or sentence.text == self._candidate
        if last is None or is_other or sentence.text == last.text:
            self.said, self.people, self._candidate = sentence, people, ""
            return sentence
        self._candidate = sentence.text
        return replace(last, hazards=sentence.hazards)


def with_zone(text: str, visits: Sequence[Visit], people: int, language: str, stay_seconds: int) -> str:
    """Say of a sentence where those are who are in a zone: "a man stays at the north door"."""
    found = _most_told(visits)
    if found is None:
        return text
    name = found.name.replace("-", " ")
    if language != "en":
        return f"{name}: {text}"
    together = sum(_is_alike(found, zone) for visit in visits for zone in visit.zones)
    verbs = ("comes to", "come to") if found.entered else ("is at", "are at")
    verbs = ("stays at", "stay at") if not found.entered and found.seconds >= stay_seconds else verbs
    subject = _subject(text, people) if together == 1 else f"{NUMBERS.get(together, MANY)} people"
    story = f"{subject} {verbs[together > 1]} the {name}"
    return story if GENERIC.match(text) and people <= together else f"{story}: {text}"


def _most_told(visits: Sequence[Visit]) -> InZone | None:
    """Return the zone to speak of: one that was just entered, or else where somebody has been longest."""
    zones = [zone for visit in visits for zone in visit.zones]
    return max(zones, key=lambda zone: (zone.entered, zone.seconds), default=None)


def _is_alike(one: InZone, other: InZone) -> bool:
    return one.name == other.name and one.entered == other.entered


def _subject(text: str, people: int) -> str:
    found = SUBJECT.match(text) if people == 1 else None
    return found[0] if found else "a person"
