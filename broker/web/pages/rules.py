"""Rules: which there are, and what these or a draft of them would have made of what cameras said."""

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import yaml
from litestar import Response, get, post
from litestar.params import URLEncodedBody

from broker import rulebook, rules
from broker.account import Role
from broker.errors import Misconfigured
from broker.rulebook import Rulebook
from broker.rules import Finding, Seen
from broker.store import replay
from broker.store.engine import reading
from broker.web.page import Page, ThisPage, needs
from contract.caption import Caption

MOST: Final = 20_000
"""Captions of one replay: a few seconds of work for one core."""

EXAMPLES: Final = 5
"""Sentences shown of each rule, each once."""

DRAFT_CHARS: Final = 60_000


class Draft(msgspec.Struct):
    """What the form sends."""

    rules: Annotated[str, msgspec.Meta(max_length=DRAFT_CHARS)] = ""
    sentence: Annotated[str, msgspec.Meta(max_length=200)] = ""
    when: Annotated[str, msgspec.Meta(max_length=16)] = "yesterday"
    csrf: str = ""


@dataclass
class Tried:
    """What one rule made of a stretch of history."""

    fired: int = 0
    cancelled: int = 0
    examples: dict[str, str] = field(default_factory=dict)
    """Sentences that it fired on, with the reason."""
    spared: dict[str, str] = field(default_factory=dict)
    """Sentences that it named and let be, with the reason."""


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
        findings = rules.judge(book, Seen(data.sentence))
        return _show(page, data, book=book, findings=findings)
    since, until = stretch(page, data.when)
    with reading(page.console.engine) as connection:
        events = replay.events(connection, since=since, until=until, limit=MOST)
        before = replay.fired_by_rule(connection, since=since, until=until)
    return _show(
        page, data, book=book, replay=judged(page, book, events), before=before, count=len(events), since=since
    )


def read_draft(text: str) -> Rulebook:
    """Compile rules that someone typed; raises `Misconfigured`."""
    try:
        repeats = any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        repeats = False  # said better below
    if repeats:
        # A few lines of aliases to aliases unfold to more than a machine can hold.
        raise Misconfigured("draft: YAML aliases (*name) are not taken here; write the words out")
    with tempfile.TemporaryDirectory(prefix="wordcam-rules-") as folder:
        path = Path(folder) / "draft"
        path.write_text(text, encoding="utf-8", errors="replace")
        try:
            return rulebook.load(path)
        except Misconfigured as error:
            raise Misconfigured(str(error).replace(str(path), "draft")) from error


def judged(page: Page, book: Rulebook, events: list[Caption]) -> dict[str, Tried]:
    """Judge captions again, and count by rule."""
    tried: dict[str, Tried] = {}
    places = page.console.places
    for event in events:
        zones = places.zones_of(event.site, event.device, event.stream)
        seen = Seen.of(event, zones=zones, local=places.local(event.captured_at, event.site))
        for finding in rules.judge(book, seen):
            _count(tried.setdefault(finding.rule.name, Tried()), finding, event.text)
    return tried


def stretch(page: Page, when: str) -> tuple[datetime, datetime]:
    """Give yesterday or today by the clock of the configuration, or the last seven days."""
    now = page.console.places.local(page.now, "")
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if when == "today":
        return midnight, now
    return (midnight - timedelta(days=1), midnight) if when == "yesterday" else (now - timedelta(days=7), now)


def _count(tried: Tried, finding: Finding, text: str) -> None:
    shown = tried.examples if finding.fired else tried.spared
    if len(shown) < EXAMPLES:
        shown.setdefault(text, finding.because)
    if finding.fired:
        tried.fired += 1
    else:
        tried.cancelled += 1


def _show(page: Page, draft: Draft, *, status: int = 200, problem: str = "", **values: Any) -> Response[str]:
    path = page.console.config.rules_file
    try:
        text = path.read_text(encoding="utf-8")
        book = page.console.rulebook()
    except (OSError, UnicodeDecodeError, Misconfigured) as error:
        text, book, problem = "", None, problem or str(error)
    given: dict[str, Any] = {"replay": None, "findings": None, "before": Counter(), "count": 0, "since": page.now}
    given |= {"rules": book.rules if book else (), "text": draft.rules or text, "draft": draft, "book": book}
    return page.render("rules.html", status=status, problem=problem, **(given | values))
