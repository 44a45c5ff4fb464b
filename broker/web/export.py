"""Writes history as CSV that a spreadsheet shows and does not execute."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from typing import Final

from sqlalchemy import Engine

from broker.pipeline.outcome import Outcome
from broker.store import search
from broker.store.engine import reading
from broker.store.search import Found, Question

COLUMNS: Final = (
    *("captured_at", "site", "device", "stream", "text", "translated"),
    *("confidence", "model", "rules", "outcomes", "reasons"),
)

MOST: Final = 100_000
"""Rows of one file: ten minutes of a thousand cameras, and what a spreadsheet can bear."""

AT_ONCE: Final = 500

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What makes a cell a formula in some spreadsheet; OWASP's list, and the wide forms that Korean keyboards write."""


def rows(engine: Engine, question: Question) -> Iterator[bytes]:
    """Give the file in pieces, newest first; each piece is one short look at the database."""
    yield "\ufeff".encode()  # Excel takes a file without this mark for one in the system's old code page.
    yield _lines([list(COLUMNS)])
    written = 0
    while written < MOST:
        with reading(engine) as connection:
            found = search.find(connection, question, limit=AT_ONCE)
        yield _lines([[cell(value) for value in _values(one)] for one in found])
        written += len(found)
        if len(found) < AT_ONCE:
            return
        question = replace(question, before=found[-1].id)


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
        "; ".join(made.because for made in fired),
    ]


def _lines(table: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(table)
    return text.getvalue().encode()
