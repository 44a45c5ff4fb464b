"""`rules.yaml` as an operator writes it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from broker.config import time_interval
from broker.config.section import Minutes, Section, Severity, Wording
from contract.caption import Name, Share

Texts = tuple[str, ...]


class Count(Section, frozen=True):
    """Of what the detector counted: so many of one kind, this sure."""

    count: Annotated[int, Meta(ge=1, le=999)] = 1
    """So many or more."""
    score: Share = 0
    """The best of them is at least this sure."""


class Seen(Section, frozen=True, kw_only=True):
    """How often a camera must see it before it counts: `{times: 3, of: 5, within_seconds: 10}`."""

    times: Annotated[int, Meta(ge=1, le=50)]
    of: Annotated[int, Meta(ge=1, le=50)]
    within_seconds: Annotated[float, Meta(gt=0, le=3600)]

    def __post_init__(self) -> None:
        if self.times > self.of:
            raise ValueError(f"`seen` can never be: {self.times} times in {self.of} captions; `times` is at most `of`")


class People(Section, frozen=True, kw_only=True):
    """Of the people in view: `{at_least: 3}`."""

    at_least: Annotated[int, Meta(ge=1, le=999)]
    """So many or more."""


class RuleText(Section, frozen=True, kw_only=True):
    """One rule as the file spells it."""

    name: Name
    """Short name in logs, in the database and in `rules test`."""
    title: str | Wording = ""
    """What people read in the text message; the name where there is none."""
    danger: Name | None = None
    """What it is a sign of: rules of one danger share an incident. Without it, the name."""
    severity: Severity = "warning"
    says: Texts = ()
    """Phrases that mean the danger."""
    exceptions: Texts = msgspec.field(default=(), name="except")
    """Phrases that take a word away from `says` where they share one: `fire hydrant`."""
    unless: Texts = ()
    """Phrases that cancel the rule wherever they stand in the sentence."""
    hazards: dict[str, Share] = msgspec.field(default_factory=dict)
    """Dangers that fire the rule from this probability on, whatever the sentence says: `gun: 0.5`."""
    labels: dict[str, Count] = msgspec.field(default_factory=dict)
    """Things that fire the rule where the detector counts so many, whatever the sentence says."""
    requires: dict[str, Count] = msgspec.field(default_factory=dict)
    """Things without which it does not fire."""
    enters: tuple[Name, ...] = ()
    """Zones that a device's configuration draws: somebody has just entered one of them or, with `stays_seconds`, stays
    in one."""
    stays_seconds: Annotated[int, Meta(ge=1, le=86_400)] | None = None
    """Somebody has been in view, or in a zone of `enters`, for so long."""
    people: People | None = None
    """So many people are in view. Of these three all that are given must hold; where the rule has neither `says` nor
    `hazards` nor `labels`, they fire it, and else it does not fire without them."""
    min_confidence: Share = 0
    """Captions less sure than this do not fire it."""
    seen: Seen | None = None
    """Without it, once is enough."""
    cooldown_minutes: Minutes = 10
    """Silence after a text message of this danger at the same site."""
    sites: tuple[Name, ...] = ()
    devices: tuple[Name, ...] = ()
    streams: tuple[Name, ...] = ()
    zones: tuple[Name, ...] = ()
    """Where the rule holds; none means everywhere. Which camera looks at which zones stands in `broker.yaml`."""
    profiles: tuple[Name, ...] = ()
    """Profiles in which it holds, `[away, night]`; none means all. When which is in force stands in `broker.yaml`."""
    when: Texts = ()
    """When it holds, by the clock of the site: `mon-fri 22:00-06:00`; none means always."""

    def __post_init__(self) -> None:
        seen = self.says or self.hazards or self.labels
        if not (seen or self.enters or self.stays_seconds or self.people):
            keys = "`says`, `hazards`, `labels`, `enters`, `stays_seconds` or `people`"
            raise ValueError(f"the rule {self.name!r} can never fire: give it {keys}")
        for text in self.when:
            try:
                time_interval.read(text)
            except ValueError as error:
                raise ValueError(f"`when`: {error}") from error


class RulesFile(Section, frozen=True, kw_only=True):
    """The whole file."""

    lists: dict[Name, Texts] = msgspec.field(default_factory=dict)
    """Words that phrases name as `<list>`; a list may name others."""
    supposed: Texts = ()
    """Phrases that make what follows them a mere thought: `as if`, `pretend`."""
    unless: Texts = ()
    """Phrases that cancel every rule."""
    rules: tuple[RuleText, ...]
