"""The rules, compiled once, with the indexes by which a caption finds those that may concern it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from broker.config import time_interval
from broker.config.section import Severity, Wording
from broker.config.time_interval import Schedule
from broker.rules import phrase, regex, wordlists
from broker.rules.company import Wanted
from broker.rules.phrase import Phrase
from broker.rules.regex import Regex
from broker.rules.schema import Count, RulesFile, RuleText, Texts
from broker.rules.threshold import ONCE, Need
from foundation import yaml_file
from foundation.yaml_file import Document, FileProblem

Pattern = Phrase | Regex

EVERYWHERE = ""
"""Stands for the site of rules that name none."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled rule."""

    name: str
    title: str | Wording
    danger: str
    severity: Severity
    says: tuple[Pattern, ...]
    exceptions: tuple[Pattern, ...]
    unless: tuple[Pattern, ...]
    hazards: Mapping[str, float]
    labels: Mapping[str, Count]
    requires: Mapping[str, Count]
    company: Wanted
    """Who is to be in view."""
    min_confidence: float
    need: Need
    cooldown: timedelta
    sites: frozenset[str]
    devices: frozenset[str]
    streams: frozenset[str]
    zones: frozenset[str]
    profiles: frozenset[str]
    when: Schedule

    @property
    def is_of_company_alone(self) -> bool:
        """Whether it goes by who is in view, and by nothing else."""
        return bool(self.company) and not (self.says or self.hazards or self.labels)

    def holds_at(self, site: str, device: str, stream: str, zones: frozenset[str] = frozenset()) -> bool:
        """Return whether this rule looks at a camera; an unknown ("") place is looked at by rules for everywhere."""
        scopes = ((self.sites, site), (self.devices, device), (self.streams, stream))
        return all(not scope or place in scope for scope, place in scopes) and (
            not self.zones or not self.zones.isdisjoint(zones)
        )


Entry = tuple[int, tuple[frozenset[str], ...]]
"""The number of a rule, and for each other place of its phrase the stems of which a sentence must hold one."""


@dataclass(frozen=True, slots=True)
class Index:
    """Finds rules by what a caption holds: first by its site, or `EVERYWHERE`, then by a word."""

    by_stem: Mapping[str, Mapping[str, tuple["Entry", ...]]] = field(default_factory=dict)
    """By the stem of a phrase's rarest word: without it in the sentence the phrase cannot be there."""
    by_hazard: Mapping[str, Mapping[str, tuple["Entry", ...]]] = field(default_factory=dict)
    by_label: Mapping[str, Mapping[str, tuple["Entry", ...]]] = field(default_factory=dict)
    by_company: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """By site, the rules that go by who is in view alone."""
    regexes: tuple[tuple[Regex, int], ...] = ()
    """Expressions have no words to be found by; each is tried on every sentence."""
    least: Mapping[str, float] = field(default_factory=dict)
    """The least probability of each danger that any rule asks for."""
    labels: frozenset[str] = frozenset()
    """Everything counted that any rule goes by."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules."""

    rules: tuple[Rule, ...]
    supposed: tuple[Phrase, ...]
    """What makes a danger a mere thought."""
    index: Index


def load(path: Path) -> Rulebook:
    """Read and compile `rules.yaml`; raises `FileProblem` naming the file, the line and the dotted path."""
    return of(yaml_file.read(path))


def of(document: Document) -> Rulebook:
    """Compile rules that stand in a document; raises `FileProblem` as `load` does."""
    file = document.convert(RulesFile)
    try:
        return build(file, origin=document.name)
    except FileProblem as error:
        raise FileProblem(error.name, document.line(error.where), error.where, error.problem) from error


def build(file: RulesFile, *, origin: str) -> Rulebook:
    """Compile rules; raises `FileProblem` naming `origin` and the dotted path."""
    try:
        return _build(file)
    except _Wrong as error:
        raise FileProblem(origin, None, error.where, error.problem) from error


class _Wrong(Exception):
    """What cannot be compiled."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(where, problem)
        self.where = where
        """Dotted path: `rules[3].says[2]`."""
        self.problem = problem


def _build(file: RulesFile) -> Rulebook:
    try:
        lists = wordlists.expand(file.lists)
    except ValueError as error:
        where, _, problem = str(error).partition(": ")
        raise _Wrong(where, problem) from error
    common = _compile(file.unless, lists, "unless")
    supposed = tuple(pattern for pattern in _compile(file.supposed, lists, "supposed") if isinstance(pattern, Phrase))
    rules = tuple(_rule(text, lists, common, f"rules[{n}]") for n, text in enumerate(file.rules))
    names = [rule.name for rule in rules]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        place = f"rules[{len(names) - 1 - names[::-1].index(twice)}].name"
        raise _Wrong(place, f"two rules are called {twice!r}; a cooldown is kept by name, so names differ")
    return Rulebook(rules, supposed, _index(rules))


def _rule(text: RuleText, lists: Mapping[str, Sequence[str]], common: tuple[Pattern, ...], where: str) -> Rule:
    seen = text.seen
    return Rule(
        name=text.name,
        title=text.title,
        danger=text.danger or text.name,
        severity=text.severity,
        says=_compile(text.says, lists, f"{where}.says"),
        exceptions=_compile(text.exceptions, lists, f"{where}.except"),
        unless=(*_compile(text.unless, lists, f"{where}.unless"), *common),
        hazards=text.hazards,
        labels=text.labels,
        requires=text.requires,
        company=Wanted(
            enters=frozenset(text.enters),
            stays_seconds=text.stays_seconds or 0,
            people=0 if text.people is None else text.people.at_least,
        ),
        min_confidence=text.min_confidence,
        need=ONCE if seen is None else Need(seen.times, seen.of, timedelta(seconds=seen.within_seconds)),
        cooldown=timedelta(minutes=text.cooldown_minutes),
        sites=frozenset(text.sites),
        devices=frozenset(text.devices),
        streams=frozenset(text.streams),
        zones=frozenset(text.zones),
        profiles=frozenset(text.profiles),
        when=[time_interval.read(span) for span in text.when],
    )


def _compile(texts: Texts, lists: Mapping[str, Sequence[str]], where: str) -> tuple[Pattern, ...]:
    patterns: list[Pattern] = []
    for number, text in enumerate(texts):
        try:
            patterns.append(regex.compile(text) if regex.is_regex(text) else phrase.compile(text, lists))
        except ValueError as error:
            raise _Wrong(f"{where}[{number}]", str(error)) from error
    return tuple(patterns)


def _index(rules: Sequence[Rule]) -> Index:
    phrases = [(said, number) for number, rule in enumerate(rules) for said in rule.says if isinstance(said, Phrase)]
    used = Counter(stem for said, _ in phrases for slot in said.slots for stem in slot.keys)
    by_hazard = ((term, number, ()) for number, rule in enumerate(rules) for term in rule.hazards)
    by_label = ((name, number, ()) for number, rule in enumerate(rules) for name in rule.labels)
    return Index(
        by_stem=_by_site(rules, (entry for said, number in phrases for entry in _entries(said, number, used))),
        by_hazard=_by_site(rules, by_hazard),
        by_label=_by_site(rules, by_label),
        by_company=_by_company(rules),
        regexes=tuple(
            (said, number) for number, rule in enumerate(rules) for said in rule.says if isinstance(said, Regex)
        ),
        least=_least(rules),
        labels=frozenset(name for rule in rules for name in rule.labels),
    )


def _by_company(rules: Sequence[Rule]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for number, rule in enumerate(rules):
        if rule.is_of_company_alone:
            for site in _sites(rule):
                found[site] = (*found.get(site, ()), number)
    return found


def _least(rules: Sequence[Rule]) -> dict[str, float]:
    least: dict[str, float] = {}
    for rule in rules:
        for term, probability in rule.hazards.items():
            least[term] = min(probability, least.get(term, probability))
    return least


Keyed = tuple[str, int, tuple[frozenset[str], ...]]
"""A word, and what it leads to."""


def _entries(said: Phrase, number: int, used: Counter[str]) -> Iterator[Keyed]:
    """Lead to a phrase from the words of its rarest place: the one whose words the fewest phrases use."""
    rarest, *others = sorted(
        (slot.keys for slot in said.slots), key=lambda keys: (sum(used[stem] for stem in keys), len(keys))
    )
    for stem in rarest:
        yield stem, number, tuple(others)


def _by_site(rules: Sequence[Rule], keyed: Iterable[Keyed]) -> dict[str, dict[str, tuple[Entry, ...]]]:
    found: dict[str, dict[str, dict[Entry, None]]] = {}
    for word, number, others in keyed:
        for site in _sites(rules[number]):
            found.setdefault(site, {}).setdefault(word, {})[(number, others)] = None
    return {site: {word: tuple(entries) for word, entries in words.items()} for site, words in found.items()}


def _sites(rule: Rule) -> Iterator[str]:
    yield from rule.sites or (EVERYWHERE,)
