"""Finds captions by their words, in either language, place and time; what each database does differently is here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    and_,
    cast,
    column,
    exists,
    false,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.sql import Select

from broker.store.captions import GONE, Decision
from broker.store.outcome import Outcome
from broker.store.tables.console import caption_words
from broker.store.tables.core import caption as table
from broker.store.tables.core import decision

PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Term:
    """One word that is looked for: letters and digits alone."""

    text: str
    prefix: bool
    """Whether longer words that begin with it count: Korean nouns carry particles, and a word may be half typed."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for; an empty field asks nothing."""

    terms: Sequence[Term] | None = None
    """All of them have to be in a caption or its translation; an empty sequence finds nothing, None asks nothing."""
    site: str = ""
    device: str = ""
    since: datetime | None = None
    until: datetime | None = None
    rule: str = ""
    """Captions that this rule fired on."""
    danger_only: bool = False
    """Captions that any rule fired on."""
    before: int | None = None
    """Captions numbered below: the next page."""


@dataclass(frozen=True, slots=True)
class Found:
    """A caption with its translation and what rules made of it."""

    id: int
    site: str
    device: str
    stream: str
    captured_at: datetime
    text: str
    language: str
    confidence: float
    model: str
    translated: str
    """"" where there is none."""
    decisions: tuple[Decision, ...]

    @property
    def is_danger(self) -> bool:
        """Whether a rule fired on it, told or not."""
        return any(Outcome(made.outcome).is_sighting for made in self.decisions)


@dataclass(frozen=True, slots=True)
class Indexed:
    """What search keeps of one caption."""

    caption_id: int
    translated: str
    """The caption in the other language."""
    words: str
    """By which it is found, in both languages, separated by blanks."""


def find(connection: Connection, question: Question, *, limit: int = PAGE) -> list[Found]:
    """Give a page of captions, newest first."""
    query = _asked(connection, _select(), question)
    rows = connection.execute(query.order_by(table.c.id.desc()).limit(limit)).all()
    return _with_decisions(connection, rows)


def after(connection: Connection, caption_id: int, *, limit: int) -> list[Found]:
    """Give the oldest captions stored after one, oldest first."""
    query = _select().where(table.c.id > caption_id, table.c.text != GONE).order_by(table.c.id).limit(limit)
    return _with_decisions(connection, connection.execute(query).all())


def some(connection: Connection, ids: Iterable[int | None]) -> dict[int, Found]:
    """Give captions by their numbers."""
    wanted = [number for number in ids if number is not None]
    rows = connection.execute(_select().where(table.c.id.in_(wanted))).all()
    return {found.id: found for found in _with_decisions(connection, rows)}


def last_words(connection: Connection) -> dict[tuple[str, str], Found]:
    """Give the last caption of every device."""
    last = select(func.max(table.c.id)).group_by(table.c.site, table.c.device)
    rows = connection.execute(_select().where(table.c.id.in_(last))).all()
    return {(found.site, found.device): found for found in _with_decisions(connection, rows)}


def unindexed(connection: Connection, *, limit: int) -> list[Found]:
    """Give captions that search does not know yet, oldest first."""
    newest = connection.execute(select(func.max(caption_words.c.caption_id))).scalar() or 0
    return after(connection, newest, limit=limit)


def index(connection: Connection, captions_: Sequence[Indexed]) -> None:
    """Let captions be found by their words."""
    rows = [{"caption_id": one.caption_id, "translated": one.translated[:400], "words": one.words} for one in captions_]
    if rows:
        connection.execute(insert(caption_words), rows)


def _select() -> Select[Any]:
    wanted = (getattr(table.c, name) for name in _OWN)
    translated = func.coalesce(caption_words.c.translated, "").label("translated")
    return select(*wanted, translated).join(caption_words, caption_words.c.caption_id == table.c.id, isouter=True)


_OWN: Final = ("id", "site", "device", "stream", "captured_at", "text", "language", "confidence", "model")


def _asked(connection: Connection, query: Select[Any], question: Question) -> Select[Any]:
    # Of a sentence that was deleted the row may stay for a while: there is nothing to find in it.
    query = query.where(table.c.text != GONE)
    exact = ((table.c.site, question.site), (table.c.device, question.device))
    query = query.where(*(column == value for column, value in exact if value))
    if question.since is not None:
        query = query.where(table.c.captured_at >= question.since)
    if question.until is not None:
        query = query.where(table.c.captured_at < question.until)
    if question.before is not None:
        query = query.where(table.c.id < question.before)
    if question.rule or question.danger_only:
        fired = exists().where(decision.c.caption_id == table.c.id, decision.c.outcome != Outcome.CANCELLED.value)
        query = query.where(fired.where(decision.c.rule == question.rule) if question.rule else fired)
    if question.terms is not None:
        query = query.where(_says(connection, question.terms))
    return query


def _says(connection: Connection, terms: Sequence[Term]) -> ColumnElement[bool]:
    """Ask for captions with all of these words; a question without a single word finds nothing."""
    if not terms:
        return false()
    if connection.dialect.name == "postgresql":
        return _postgresql(terms)
    if connection.dialect.name == "sqlite" and _has_fts(connection):
        return _fts5(terms)
    return _anywhere(terms)


def _postgresql(terms: Sequence[Term]) -> ColumnElement[bool]:
    # Terms are letters and digits alone, so none of them can end the quotes.
    asked = " & ".join(f"'{term.text}'{':*' if term.prefix else ''}" for term in terms)
    vector = func.array_to_tsvector(func.string_to_array(caption_words.c.words, " "))
    return vector.op("@@", is_comparison=True)(cast(asked, TSQUERY))


def _fts5(terms: Sequence[Term]) -> ColumnElement[bool]:
    # As above: letters and digits alone.
    asked = " ".join(f'"{term.text}"{"*" if term.prefix else ""}' for term in terms)
    hits = text("SELECT rowid FROM caption_fts WHERE caption_fts MATCH :asked").bindparams(asked=asked)
    return table.c.id.in_(hits.columns(column("rowid", Integer)))


def _anywhere(terms: Sequence[Term]) -> ColumnElement[bool]:
    """Look through every row: for an SQLite that was built without its full-text module."""
    padded = " " + caption_words.c.words + " "
    return and_(*(padded.contains(f" {term.text}" if term.prefix else f" {term.text} ") for term in terms))


def _has_fts(connection: Connection) -> bool:
    known = "SELECT count(*) FROM sqlite_master WHERE name = 'caption_fts'"
    return bool(connection.exec_driver_sql(known).scalar())


def _with_decisions(connection: Connection, rows: Sequence[Row[Any]]) -> list[Found]:
    made: dict[int, list[Decision]] = {}
    asked = select(decision).where(decision.c.caption_id.in_([row.id for row in rows])).order_by(decision.c.id)
    for row in connection.execute(asked):
        made.setdefault(row.caption_id, []).append(Decision(row.rule, row.outcome, row.because, row.incident_id))
    return [Found(**row._mapping, decisions=tuple(made.get(row.id, ()))) for row in rows]
