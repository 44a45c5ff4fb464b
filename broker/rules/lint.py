"""Looks through `rules.yaml` for mistakes: what cannot be read, what can never fire, what contradicts itself."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.config.broker import Config
from broker.config.incidents import ONE_WEAPON
from broker.config.sites import HOME
from broker.rules import compiler, engine, phrase, reasons, regex, wordlists
from broker.rules.company import Company
from broker.rules.compiler import Rule, Rulebook
from broker.rules.engine import Seen
from broker.rules.phrase import Phrase
from broker.rules.schema import RulesFile, RuleText
from contract.caption import InZone, Label, Phase, Visit
from foundation import yaml_file
from foundation.errors import Failure
from foundation.yaml_file import Document, FileProblem

MAX_EXAMPLES: Final = 300
"""Sentences made of one phrase; a phrase of which all these are cancelled is taken to be dead."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake."""

    file: Path
    line: int | None
    where: str
    """Dotted path; "" for the whole file."""
    problem: str
    fatal: bool
    """Whether the service refuses to start with it."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        kind = "error" if self.fatal else "warning"
        return f"{place}: {kind}: {self.where}: {self.problem}" if self.where else f"{place}: {kind}: {self.problem}"


def check(path: Path, config: Config | None = None) -> list[Problem]:
    """Return every mistake of a file, the fatal ones alone where there are any; `config` knows places and people."""
    try:
        document = yaml_file.read(path)
        file = document.convert(RulesFile)
    except FileProblem as error:
        return [Problem(path, error.line, error.where, error.problem, fatal=True)]
    except Failure as error:
        return [Problem(path, None, "", str(error).removeprefix(f"{path}: "), fatal=True)]
    if fatal := list(_unreadable(file)):
        return [_problem(document, path, found, fatal=True) for found in fatal]
    try:
        book = compiler.build(file, origin=str(path))
    except FileProblem as error:
        return [_problem(document, path, (error.where, error.problem), fatal=True)]
    doubtful = [*_dead(file, book), *_shared_phrases(file, book), *_idle(file), *_wordless(file)]
    if config is not None:
        doubtful += [*_unknown_places(file, config), *_unknown_dangers(book, config)]
    return [_problem(document, path, found, fatal=False) for found in doubtful]


def _problem(document: Document, path: Path, found: tuple[str, str], *, fatal: bool) -> Problem:
    where, problem = found
    return Problem(path, document.line(where), where, problem, fatal)


Found = tuple[str, str]
"""Dotted path and problem."""


def _unreadable(file: RulesFile) -> Iterator[Found]:
    """Find lists in circles and phrases that cannot be compiled: all of them, not the first alone."""
    try:
        lists = wordlists.expand(file.lists)
    except ValueError as error:
        where, _, problem = str(error).partition(": ")
        yield where, problem
        return
    for where, text in _texts(file):
        try:
            _compile(text, lists)
        except ValueError as error:
            yield where, str(error)


def _compile(text: str, lists: Mapping[str, Sequence[str]]) -> compiler.Pattern:
    return regex.compile(text) if regex.is_regex(text) else phrase.compile(text, lists)


def _texts(file: RulesFile) -> Iterator[Found]:
    """Return every phrase of a file with its place."""
    parts = [("supposed", file.supposed), ("unless", file.unless)]
    for number, rule in enumerate(file.rules):
        named = {"says": rule.says, "except": rule.exceptions, "unless": rule.unless}
        parts += [(f"rules[{number}].{key}", texts) for key, texts in named.items()]
    for where, texts in parts:
        yield from ((f"{where}[{place}]", text) for place, text in enumerate(texts))


def _dead(file: RulesFile, book: Rulebook) -> Iterator[Found]:
    """Find phrases that mean the danger and are always cancelled."""
    for number, (text, rule) in enumerate(zip(file.rules, book.rules, strict=True)):
        for place, said in enumerate(rule.says):
            if isinstance(said, Phrase) and (because := _cancelled(book, rule, said)):
                yield f"rules[{number}].says[{place}]", f"{text.says[place]!r} never fires {rule.name!r}: {because}"


def _cancelled(book: Rulebook, rule: Rule, said: Phrase) -> str:
    """Return why no sentence that a phrase makes fires its rule; "" where one does."""
    because = ""
    for words in itertools.islice(itertools.product(*(slot.words for slot in said.slots)), MAX_EXAMPLES):
        place = (next(iter(names), "") for names in (rule.sites, rule.devices, rule.streams))
        site, device, stream = place
        labels = {name: Label(name, wanted.count, 1.0) for name, wanted in rule.requires.items()}
        seen = Seen(
            " ".join(words),
            1.0,
            {},
            site,
            device,
            stream,
            labels=labels,
            zones=rule.zones,
            company=_company(rule),
        )
        found = [finding for finding in engine.judge(book, seen) if finding.rule is rule]
        if not found or found[0].fired:
            return ""
        because = because or f"of {seen.text!r}, {reasons.in_english(found[0].reasons)}"
    return because


def _company(rule: Rule) -> Company:
    """Return people of whom everything holds that a rule asks for."""
    wanted = rule.company
    zones = tuple(InZone(name, wanted.stays_seconds, entered=True) for name in sorted(wanted.enters))
    return Company(wanted.people, (Visit("somebody", Phase.STAYS, wanted.stays_seconds, zones),))


def _shared_phrases(file: RulesFile, book: Rulebook) -> Iterator[Found]:
    """Find a phrase that two rules of different dangers share, or that one rule has in `says` and in its exceptions."""
    owner: dict[str, tuple[int, Rule]] = {}
    for number, (text, rule) in enumerate(zip(file.rules, book.rules, strict=True)):
        for place, said in enumerate(text.says):
            if said in text.unless or said in text.exceptions:
                yield f"rules[{number}].says[{place}]", f"{said!r} stands in `except` or `unless` of the same rule, too"
            other = owner.setdefault(said, (number, rule))[1]
            if other.severity != rule.severity and other.danger == rule.danger and _meet(other, rule):
                problem = f"{said!r} is {rule.severity} here and {other.severity} in {other.name!r}"
                yield f"rules[{number}].says[{place}]", problem


def _meet(first: Rule, second: Rule) -> bool:
    """Return whether two rules may look at the same camera."""
    scopes = ((first.sites, second.sites), (first.devices, second.devices), (first.streams, second.streams))
    return all(not one or not other or one & other for one, other in scopes)


def _idle(file: RulesFile) -> Iterator[Found]:
    """Find lists that nothing names."""
    named = {match[1] for _, text in _texts(file) for match in wordlists.LIST_NAME.finditer(text)}
    named |= {
        match[1] for words in file.lists.values() for word in words for match in wordlists.LIST_NAME.finditer(word)
    }
    for name in file.lists:
        if name not in named:
            yield f"lists.{name}", f"no phrase names <{name}>"


def _wordless(file: RulesFile) -> Iterator[Found]:
    """Find words whose synonyms are asked for where there are none."""
    asked = [where for where, text in _texts(file) if "~" in text and not regex.is_regex(text)]
    if asked and not wordlists.wordnet_is_installed():
        yield asked[0], "WordNet is not installed, so `~` adds nothing; see docs/alerts.md"


def _unknown_places(file: RulesFile, config: Config) -> Iterator[Found]:
    sites = [site.id for site in config.sites]
    devices = [device.id for site in config.sites for device in site.devices]
    streams = [stream for site in config.sites for device in site.devices for stream in device.streams]
    known = {
        "sites": sites,
        "devices": devices,
        "streams": [stream.id for stream in streams],
        "zones": sorted({zone for stream in streams for zone in stream.zones}),
        "profiles": [HOME, *config.profiles, *(name for site in config.sites for name in site.profiles)],
    }
    for number, rule in enumerate(file.rules):
        for key, names in known.items():
            for place, name in enumerate(_scope(rule, key)):
                if name not in names:
                    problem = f"broker.yaml has no {key[:-1]} {name!r}; {yaml_file.nearest(name, names)}"
                    yield f"rules[{number}].{key}[{place}]", problem


def _scope(rule: RuleText, key: str) -> tuple[str, ...]:
    names: tuple[str, ...] = getattr(rule, key)
    return names


def _unknown_dangers(book: Rulebook, config: Config) -> Iterator[Found]:
    """Find dangers in `broker.yaml` that no rule is a sign of."""
    known = sorted({rule.danger for rule in book.rules})
    for where, name in _named_dangers(config):
        if name not in known:
            yield "", f"broker.yaml: {where}: no rule has the danger {name!r}; {yaml_file.nearest(name, known)}"


def _named_dangers(config: Config) -> Iterator[Found]:
    """Return every danger that `broker.yaml` names, with its place."""
    for number, person in enumerate(config.recipients):
        yield from ((f"recipients[{number}].dangers", name) for name in person.dangers)
    for number, chain in enumerate(config.incidents.escalation):
        yield from ((f"incidents.escalation[{number}].dangers", name) for name in chain.dangers)
    for number, rule in enumerate(config.incidents.inhibit):
        yield from ((f"incidents.inhibit[{number}].while", name) for name in rule.during)
        yield from ((f"incidents.inhibit[{number}].hold_back", name) for name in rule.hold_back)
    for number, join in enumerate(() if config.incidents.join == ONE_WEAPON else config.incidents.join):
        yield from ((f"incidents.join[{number}].while", name) for name in join.during)
        yield from ((f"incidents.join[{number}].joins", name) for name in join.joins)
