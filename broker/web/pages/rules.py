"""Rules: the list, and what they or a draft of them would make of stored captions."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import yaml
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from sqlalchemy import Row

from broker.config.errors import Misconfigured
from broker.rules import compiler
from broker.rules.compiler import Rulebook
from broker.rules.reasons import Reasons
from broker.rules.replay import Line, Trial
from broker.store import selection, statistics
from broker.store.engine import reading
from broker.web.accounts.account import Role
from broker.web.request.context import Page, ThisPage, needs
from foundation import yaml_file

MOST: Final = 20_000
"""Captions of one replay: a few seconds of one core."""

EXAMPLES: Final = 5
"""Sentences shown of each rule, each once."""

DRAFT_CHARS: Final = 60_000

FIELDS: Final = (
    "text",
    "confidence",
    "hazards",
    "labels",
    "site",
    "device",
    "stream",
    "captured_at",
    "people",
    "visits",
)
"""What rules look at in a stored caption."""


class Draft(msgspec.Struct):
    """What the form sends."""

    rules: Annotated[str, msgspec.Meta(max_length=DRAFT_CHARS)] = ""
    sentence: Annotated[str, msgspec.Meta(max_length=200)] = ""
    when: Annotated[str, msgspec.Meta(max_length=16)] = "yesterday"
    csrf: str = ""


@dataclass
class Tried:
    """What one rule made of stored captions."""

    fired: int = 0
    cancelled: int = 0
    examples: dict[str, Reasons] = field(default_factory=dict)
    """Sentences that it fired on, with the reason."""
    spared: dict[str, Reasons] = field(default_factory=dict)
    """Sentences on which it was cancelled, with the reason."""

    def add(self, text: str, reasons: Reasons, *, fired: bool) -> None:
        """Count one sentence."""
        shown = self.examples if fired else self.spared
        if len(shown) < EXAMPLES:
            shown.setdefault(text, reasons)
        self.fired += fired
        self.cancelled += not fired


@get("/rules", sync_to_thread=True, guards=[needs(Role.GUARD)])
def show(page: ThisPage) -> Response[str]:
    """Show the rules in force."""
    return _show(page, Draft())


@post("/rules", sync_to_thread=True, status_code=200, guards=[needs(Role.SUPERVISOR)], request_max_body_size=300_000)
def attempt(page: ThisPage, data: URLEncodedBody[Draft]) -> Response[str]:
    """Try rules on a sentence or on history; nothing is stored, sent or changed."""
    try:
        book = read_draft(data.rules) if data.rules.strip() else page.console.rulebook()
    except Misconfigured as error:
        return _show(page, data, status=400, problem=str(error))
    if data.sentence.strip():
        outcome = Trial(book, page.console.places).judge(Line(data.sentence))
        return _show(page, data, outcome=outcome)
    since, until = stretch(page, data.when)
    with reading(page.console.engine) as connection:
        rows = list(islice(selection.captured_between(connection, since, until), MOST))
        before = statistics.fired_by_rule(connection, [row.id for row in rows])
    count, replay = judged(page, book, rows)
    return _show(page, data, replay=replay, before=before, count=count)


def read_draft(text: str) -> Rulebook:
    """Compile rules that someone typed; raises `Misconfigured`."""
    try:
        repeats = any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        repeats = False  # said better below
    if repeats:
        # A few lines of aliases to aliases unfold to more than a machine can hold.
        raise Misconfigured("draft: YAML aliases (*name) are not taken here; write the words out")
    return compiler.of(yaml_file.parse(text, "draft", Path()))


def judged(page: Page, book: Rulebook, rows: Iterable[Row[Any]]) -> tuple[int, dict[str, Tried]]:
    """Judge stored captions again, and return how many they were, and what became of them by rule."""
    trial = Trial(book, page.console.places)
    tried: dict[str, Tried] = {}
    for row in rows:
        outcome = trial.judge(_line(row))
        for fired in outcome.fired:
            tried.setdefault(fired.rule, Tried()).add(row.text, fired.reasons, fired=True)
        for cancelled in outcome.cancelled:
            tried.setdefault(cancelled.rule, Tried()).add(row.text, cancelled.reasons, fired=False)
    return trial.totals.sentences, tried


def _line(row: Row[Any]) -> Line:
    return msgspec.convert({name: getattr(row, name) for name in FIELDS}, Line)


def stretch(page: Page, when: str) -> tuple[datetime, datetime]:
    """Return yesterday or today by the configured clock, or the last seven days."""
    now = page.console.places.local(page.now, "")
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if when == "today":
        return midnight, now
    return (midnight - timedelta(days=1), midnight) if when == "yesterday" else (now - timedelta(days=7), now)


def _profiles(page: Page) -> dict[str, str]:
    """Return the profile in force at each site, where any rule or site goes by profiles."""
    config, places = page.console.config, page.console.places
    if not config.profiles and not any(site.profiles for site in config.sites):
        return {}
    return {site.id: places.profile_at(places.local(page.now, site.id), site.id) for site in config.sites}


def _show(page: Page, draft: Draft, *, status: int = 200, problem: str = "", **values: Any) -> Response[str]:
    path = page.console.config.rules_file
    try:
        text = path.read_text(encoding="utf-8")
        book = page.console.rulebook()
    except (OSError, UnicodeDecodeError, Misconfigured) as error:
        text, book, problem = "", None, problem or str(error)
    values["profiles"] = _profiles(page)
    given: dict[str, Any] = {"replay": None, "outcome": None, "before": Counter(), "count": 0}
    given |= {"rules": book.rules if book else (), "text": draft.rules or text, "draft": draft}
    return page.render("rules.html", status=status, problem=problem, **(given | values))
