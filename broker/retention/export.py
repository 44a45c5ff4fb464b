"""Exports captions as JSON lines, or as CSV that a spreadsheet shows and does not execute."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any, Final

import msgspec
from sqlalchemy import Engine

from broker.notify.message import reason_texts
from broker.store import search, selection
from broker.store.engine import reading
from broker.store.outcome import Outcome
from broker.store.search import Found, Question
from broker.store.selection import Mark, Scope

COLUMNS: Final = (
    *("captured_at", "site", "device", "stream", "text", "translated"),
    *("confidence", "model", "rules", "outcomes", "reasons"),
)

MOST: Final = 100_000
"""Rows of one file of the console's: ten minutes of a thousand cameras, and what a spreadsheet can bear."""

AT_ONCE: Final = 500

MARK: Final = "\ufeff"
"""Excel reads a file without it in the system's old code page."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What makes a cell a formula in some spreadsheet; OWASP's list, and the wide forms that Korean keyboards write."""


def found(engine: Engine, question: Question) -> Iterator[bytes]:
    """Return what a question finds as CSV in pieces, newest first; each piece is one short look at the database."""
    yield heading()
    written = 0
    while written < MOST:
        with reading(engine) as connection:
            page = search.find(connection, question, limit=AT_ONCE)
        yield table(page)
        written += len(page)
        if len(page) < AT_ONCE:
            return
        question = replace(question, before=page[-1].id)


def everything(engine: Engine, wish: Scope) -> Iterator[Sequence[Found]]:
    """Return all that is meant, a page at a time, site by site from the oldest on. Raises `Locked`.

    Each page is one short look at the database: memory stays flat, and nobody waits for the end.
    """
    after: Mark | None = None
    while True:
        with reading(engine) as connection:
            rows = selection.page(connection, wish, after, limit=AT_ONCE)
            by_id = search.some(connection, [row.id for row in rows])
        if not rows:
            return
        after = selection.mark(rows[-1])
        yield [by_id[row.id] for row in rows]


def heading() -> bytes:
    """Return the first line of a CSV file."""
    return MARK.encode() + _lines([COLUMNS])


def table(page: Sequence[Found]) -> bytes:
    """Return captions as lines of CSV."""
    return _lines([[cell(value) for value in _values(one)] for one in page])


def lines(page: Sequence[Found]) -> bytes:
    """Return captions as JSON, one a line, each with every decision."""
    return b"".join(msgspec.json.encode(_object(one)) + b"\n" for one in page)


def cell(text: str) -> str:
    """Make a text that a spreadsheet would take for a formula one that it shows."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _values(found: Found) -> list[str]:
    fired = [made for made in found.decisions if Outcome(made.outcome).is_sighting]
    return [
        found.captured_at.astimezone(UTC).isoformat(timespec="seconds"),
        *(found.site, found.device, found.stream, found.text, found.translated),
        *(f"{found.confidence:.2f}", found.model),
        " ".join(made.rule for made in fired),
        " ".join(made.outcome for made in fired),
        "; ".join(reason_texts.say(made.because, "en") for made in fired),
    ]


def _object(found: Found) -> dict[str, Any]:
    return {"captured_at": found.captured_at, "site": found.site, "device": found.device, "stream": found.stream} | {
        "text": found.text,
        "language": found.language,
        "translated": found.translated,
        "confidence": found.confidence,
        "model": found.model,
        "decisions": [
            {"rule": made.rule, "outcome": made.outcome, "incident": made.incident_id}
            | {"because": reason_texts.say(made.because, "en")}
            for made in found.decisions
        ],
    }


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
