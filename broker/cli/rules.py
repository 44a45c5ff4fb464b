"""The verbs `wordcam-broker rules ...`: try rules before they count."""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import Row

from broker.cli import config_path, init
from broker.cli.input_file import text_lines
from broker.config import broker as config_file
from broker.config.broker import Config
from broker.config.errors import Misconfigured
from broker.config.section import Language
from broker.config.sites import Places
from broker.notify.message import reason_texts, texts
from broker.rules import compiler, languages, lint
from broker.rules.compiler import Rulebook
from broker.rules.replay import Line, LineOutcome, Trial
from broker.store import migrate, selection
from broker.store.engine import open_database, reading
from contract.caption import Hazard, Label, Visit

RULES: Final = (Path("rules.yaml"), Path("config/rules.yaml"), init.RULES)
"""Where rules are looked for without a configuration: in this folder, in a clone, and in the package."""


def run(arguments: argparse.Namespace) -> int:
    """Try the rules, or check them."""
    return _test(arguments) if arguments.rules_verb == "test" else _check(arguments)


def _rules_file(arguments: argparse.Namespace) -> Path:
    """Return the rules that are named, or else those of the configuration, or else the nearest."""
    if arguments.rules is not None:
        return Path(arguments.rules)
    config = config_path.present(arguments.config)
    if config is not None:
        return config_file.load(config).rules_file
    return next((path for path in RULES[:-1] if path.is_file()), RULES[-1])


def _check(arguments: argparse.Namespace) -> int:
    config = None if arguments.config is None else config_file.load(arguments.config)
    rules = _rules_file(arguments)
    problems = lint.check(rules, config)
    for problem in problems:
        print(problem)
    fatal = any(problem.fatal for problem in problems)
    if not fatal:
        book = compiler.load(rules)
        for language in _unheard(book, config):
            print(f"{rules}: warning: cameras speak {language!r}, and no rule has a phrase in it")
        print(f"{rules}: {'usable' if problems else 'good'}. {len(book.rules)} rules.")
    return Misconfigured.exit_code if fatal else 0


def _unheard(book: Rulebook, config: Config | None) -> list[str]:
    """Return the languages of the newest captions that no rule hears; none where there is no database yet."""
    if config is None or (config.database.path is not None and not config.database.path.is_file()):
        return []
    with contextlib.closing(_History(config)) as past:
        spoken = past.languages()
    return [language for language in spoken if languages.unheard(language, languages.heard(book))]


def _test(arguments: argparse.Namespace) -> int:
    if arguments.history == (arguments.file is not None):
        raise Misconfigured("rules test: name a file, or --history, and not both")
    if arguments.history:
        return _test_history(arguments)
    rules = _rules_file(arguments)
    if arguments.rules is None and arguments.config is None:
        print(f"rules: {rules}", file=sys.stderr)
    trial = Trial(compiler.load(rules))
    with text_lines(arguments.file) as opened:
        _show(trial, trial.run(opened, origin=arguments.file), arguments)
    return 0


def _test_history(arguments: argparse.Namespace) -> int:
    config = config_file.load(config_path.found(arguments.config))
    places = Places.of(config)
    end = moment(arguments.end, places, "--to") if arguments.end else datetime.now(UTC)
    start = moment(arguments.start, places, "--from") if arguments.start else end - timedelta(days=1)
    trial = Trial(compiler.load(arguments.rules or config.rules_file), places)
    with contextlib.closing(_History(config)) as past:
        outcomes = (trial.judge(line) for line in past.between(start, end))
        if not arguments.all:
            outcomes = (outcome for outcome in outcomes if outcome.fired or outcome.cancelled)
        _show(trial, outcomes, arguments, places)
    return 0


class _History:
    """The captions of one database."""

    def __init__(self, config: Config) -> None:
        self._engine = open_database(config.database)
        migrate.require_current(self._engine)

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def languages(self) -> list[str]:
        """Return the languages of the newest captions."""
        with reading(self._engine) as connection:
            return selection.languages(connection, newest=10_000)

    def between(self, start: datetime, end: datetime) -> Iterator[Line]:
        """Yield the captions, in order."""
        with reading(self._engine) as connection:
            yield from (_line(row) for row in selection.captured_between(connection, start, end))


def _line(row: Row[Any]) -> Line:
    return Line(
        text=row.text,
        confidence=row.confidence,
        hazards=tuple(msgspec.convert(row.hazards, tuple[Hazard, ...])),
        labels=tuple(msgspec.convert(row.labels, tuple[Label, ...])),
        site=row.site,
        device=row.device,
        stream=row.stream,
        captured_at=row.captured_at,
        people=row.people,
        visits=None if row.visits is None else msgspec.convert(row.visits, tuple[Visit, ...]),
    )


def moment(text: str, places: Places, option: str) -> datetime:
    """Read a time by the clock of the configuration, unless it has its own zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Misconfigured(f"{option} {text}: no time; write it like 2026-03-13T22:00") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=places.clock)).astimezone(UTC)


def _show(
    trial: Trial, outcomes: Iterable[LineOutcome], arguments: argparse.Namespace, places: Places | None = None
) -> None:
    for outcome in outcomes:
        if arguments.json:
            print(msgspec.json.encode(_tree(outcome)).decode())
        else:
            print(_describe(outcome, arguments.language, places))
    if not arguments.json:
        print(_totals(trial))


def _tree(outcome: LineOutcome) -> dict[str, Any]:
    """Return what `--json` prints of a sentence; reasons are in English."""
    tree: dict[str, Any] = {
        "text": outcome.text,
        "fired": [
            {"rule": one.rule, "severity": one.severity, "because": reason_texts.say(one.reasons, "en")}
            for one in outcome.fired
        ],
        "cancelled": [{"rule": one.rule, "because": reason_texts.say(one.reasons, "en")} for one in outcome.cancelled],
    }
    more = {"file": outcome.file, "captured_at": outcome.captured_at, "camera": outcome.camera}
    return tree | {name: value for name, value in more.items() if value is not None}


def _describe(outcome: LineOutcome, language: Language, places: Places | None) -> str:
    said = texts.of(language)
    found = [json.dumps(outcome.text, ensure_ascii=False)]
    if outcome.captured_at is not None and outcome.camera is not None and places is not None:
        at = places.local(outcome.captured_at, outcome.camera.partition("/")[0])
        found[0] = f"{at:%Y-%m-%d %H:%M:%S} {outcome.camera} {found[0]}"
    found += [
        f"  {said.severity[one.severity]}: {one.rule} {said.fired}, {reason_texts.say(one.reasons, language)}"
        for one in outcome.fired
    ]
    found += [f"  {one.rule} {said.cancelled}: {reason_texts.say(one.reasons, language)}" for one in outcome.cancelled]
    return "\n".join(found if len(found) > 1 else [*found, f"  {said.nothing}"])


def _totals(trial: Trial) -> str:
    """Count what became of all sentences, rule by rule."""
    totals = trial.totals
    found = [f"\n{totals.sentences} sentences, {totals.alarming} alarming"]
    for rule in trial.book.rules:
        counts = {
            "fired": totals.fired[rule.name],
            "cancelled": totals.cancelled[rule.name],
            "not yet": totals.not_yet[rule.name],
        }
        if any(counts.values()):
            found.append(f"  {rule.name}: " + ", ".join(f"{count} {name}" for name, count in counts.items() if count))
    return "\n".join(found)
