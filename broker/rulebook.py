"""`rules.yaml`: what counts as danger, in words that an operator writes, compiled once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from broker import phrase, strict
from broker.config import Section, Severity, Wording
from broker.errors import Misconfigured
from broker.phrase import Phrase
from contract.caption import Name, Share

Texts = tuple[str, ...]


class RuleText(Section, frozen=True, kw_only=True):
    """One rule as the file spells it."""

    name: Name
    """Short name in logs, in the database and in `rules test`."""
    title: str | Wording = ""
    """What people read in the text message; the name where there is none."""
    severity: Severity = "warning"
    says: Texts = ()
    """Phrases that mean the danger."""
    exceptions: Texts = msgspec.field(default=(), name="except")
    """Phrases that take a word away from `says` where they share one: `fire hydrant`."""
    unless: Texts = ()
    """Phrases that cancel the rule wherever they stand in the sentence."""
    hazards: dict[str, Share] = msgspec.field(default_factory=dict)
    """Dangers that fire the rule from this probability on, whatever the sentence says: `gun: 0.5`."""
    min_confidence: Share = 0
    """Captions less sure than this do not fire it."""
    cooldown_minutes: Annotated[float, Meta(ge=0)] = 10
    """Silence after a text message of this rule at the same site."""
    sites: tuple[Name, ...] = ()
    devices: tuple[Name, ...] = ()
    streams: tuple[Name, ...] = ()
    """Where the rule holds; none means everywhere."""

    def __post_init__(self) -> None:
        if not self.says and not self.hazards:
            raise ValueError(f"the rule {self.name!r} can never fire: give it `says` or `hazards`")


class RulesFile(Section, frozen=True, kw_only=True):
    """The whole file."""

    lists: dict[Name, Texts] = msgspec.field(default_factory=dict)
    """Words that phrases name as `<list>`."""
    unless: Texts = ()
    """Phrases that cancel every rule."""
    rules: tuple[RuleText, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled rule."""

    name: str
    title: str | Wording
    severity: Severity
    says: tuple[Phrase, ...]
    exceptions: tuple[Phrase, ...]
    unless: tuple[Phrase, ...]
    hazards: Mapping[str, float]
    min_confidence: float
    cooldown: timedelta
    sites: frozenset[str]
    devices: frozenset[str]
    streams: frozenset[str]

    def holds_at(self, site: str, device: str, stream: str) -> bool:
        """Say whether this rule looks at a camera; an unknown ("") place is looked at by rules for everywhere."""
        scopes = ((self.sites, site), (self.devices, device), (self.streams, stream))
        return all(not scope or place in scope for scope, place in scopes)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules, with the index by which a sentence finds those that may concern it."""

    rules: tuple[Rule, ...]
    by_stem: Mapping[str, tuple[int, ...]]
    """Numbers of the rules that have a phrase whose most particular place takes a word of this stem."""
    by_hazard: Mapping[str, tuple[int, ...]]
    """Numbers of the rules that set a probability for this danger."""


def load(path: Path) -> Rulebook:
    """Read and compile `rules.yaml`; raises `Misconfigured` naming the file and the dotted path."""
    return build(strict.load(path, RulesFile), origin=str(path))


def build(file: RulesFile, *, origin: str) -> Rulebook:
    """Compile rules; raises `Misconfigured` naming `origin` and the dotted path."""
    common = _compile(file.unless, file.lists, f"{origin}: unless")
    rules = tuple(_rule(text, file.lists, common, f"{origin}: rules[{n}]") for n, text in enumerate(file.rules))
    names = [rule.name for rule in rules]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Misconfigured(f"{origin}: two rules are called {twice!r}; a cooldown is kept by name, so names differ")
    by_stem = _index((stem, n) for n, rule in enumerate(rules) for says in rule.says for stem in says.anchor)
    by_hazard = _index((term, n) for n, rule in enumerate(rules) for term in rule.hazards)
    return Rulebook(rules, by_stem, by_hazard)


def _rule(text: RuleText, lists: Mapping[str, Texts], common: tuple[Phrase, ...], where: str) -> Rule:
    return Rule(
        name=text.name,
        title=text.title,
        severity=text.severity,
        says=_compile(text.says, lists, f"{where}.says"),
        exceptions=_compile(text.exceptions, lists, f"{where}.except"),
        unless=(*_compile(text.unless, lists, f"{where}.unless"), *common),
        hazards=text.hazards,
        min_confidence=text.min_confidence,
        cooldown=timedelta(minutes=text.cooldown_minutes),
        sites=frozenset(text.sites),
        devices=frozenset(text.devices),
        streams=frozenset(text.streams),
    )


def _compile(texts: Texts, lists: Mapping[str, Texts], where: str) -> tuple[Phrase, ...]:
    phrases = []
    for number, text in enumerate(texts):
        try:
            phrases.append(phrase.compile(text, lists))
        except ValueError as error:
            raise Misconfigured(f"{where}[{number}]: {error}") from error
    return tuple(phrases)


def _index(pairs: Iterable[tuple[str, int]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, dict[int, None]] = {}
    for key, number in pairs:
        found.setdefault(key, {})[number] = None
    return {key: tuple(numbers) for key, numbers in found.items()}
