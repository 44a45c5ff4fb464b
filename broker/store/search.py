"""Finds captions by their words, in either language, place and time; what each database does differently is here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    String,
    and_,
    cast,
    column,
    func,
    insert,
    or_,
    select,
    true,
)
from sqlalchemy import table as table_of
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.sql import Select

from broker.store import captions, rollup
from broker.store.captions import GONE, Decision
from broker.store.outcome import Outcome
from broker.store.rollup import Counted
from broker.store.tables.console import caption_words
from broker.store.tables.core import caption as table
from broker.store.tables.core import decision
from contract import caption as contract

PAGE: Final = 50

LARGEST_ID: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """One word that is looked for: letters and digits alone."""

    text: str
    prefix: bool
    """Whether longer words that begin with it count: Korean nouns carry particles, and a word may be half typed."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for; an empty field asks nothing."""

    terms: Sequence[SearchTerm] | None = None
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
    """The last caption of the page before."""


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
        """Whether a rule fired on it, notified or not."""
        return any(Outcome(made.outcome).is_sighting for made in self.decisions)


@dataclass(frozen=True, slots=True)
class LastHour:
    """What one camera has said lately."""

    last: Found | None
    """Its last caption, however old; None where it never wrote one."""
    captions: int
    """Captions of the last hour."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What search gets to know of one caption."""

    found: Found
    translated: str
    """The caption in the other language."""
    words: str
    """By which it is found, in both languages, separated by blanks."""


def find(connection: Connection, question: Question, *, limit: int = PAGE) -> list[Found]:
    """Return a page of captions, newest first, along whatever index leads to the first of them soonest."""
    if question.terms is not None and not question.terms:
        return []
    ids = _found(connection, question, limit)
    rows = {row.id: row for row in connection.execute(_select().where(table.c.id.in_(ids)))}
    return _with_decisions(connection, [rows[number] for number in ids if number in rows])


def after(connection: Connection, caption_id: int, *, limit: int) -> list[Found]:
    """Return the oldest captions stored after one, oldest first."""
    query = _select().where(table.c.id > caption_id, table.c.text != GONE).order_by(table.c.id).limit(limit)
    return _with_decisions(connection, connection.execute(query).all())


def some(connection: Connection, ids: Iterable[int | None]) -> dict[int, Found]:
    """Return captions by their numbers."""
    wanted = [number for number in ids if number is not None]
    rows = connection.execute(_select().where(table.c.id.in_(wanted))).all()
    return {found.id: found for found in _with_decisions(connection, rows)}


def last_words(connection: Connection) -> dict[tuple[str, str], Found]:
    """Return the last caption of every device: one step along the index of cameras for each of them."""
    first = select(func.min(table.c.source).label("source")).cte("camera", recursive=True)
    following = select(func.min(table.c.source)).where(table.c.source > first.c.source).scalar_subquery()
    cameras = first.union_all(select(following).where(first.c.source.is_not(None)))
    own = select(table.c.id).where(table.c.source == cameras.c.source, table.c.text != GONE).order_by(*_BY_TIME)
    last = select(own.limit(1).scalar_subquery().label("id")).where(cameras.c.source.is_not(None))
    by_device: dict[tuple[str, str], Found] = {}
    for found in some(connection, connection.execute(last).scalars()).values():
        before = by_device.get((found.site, found.device))
        if before is None or (before.captured_at, before.id) < (found.captured_at, found.id):
            by_device[found.site, found.device] = found
    return by_device


def last_hour(
    connection: Connection, site: str, device: str, streams: Sequence[str], now: datetime
) -> dict[str, LastHour]:
    """Return the last caption of each of a device's cameras, and how many it wrote in the hour before `now`."""
    return {stream: _last_hour(connection, contract.source(site, device, stream), now) for stream in streams}


def _last_hour(connection: Connection, camera: str, now: datetime) -> LastHour:
    own = (table.c.source == camera) & (table.c.text != GONE)
    newest = connection.execute(select(table.c.id).where(own).order_by(*_BY_TIME).limit(1)).scalar()
    found = some(connection, () if newest is None else (newest,))
    recent = own & (table.c.captured_at >= now - timedelta(hours=1))
    count = connection.execute(select(func.count()).select_from(table).where(recent)).scalar_one()
    return LastHour(next(iter(found.values()), None), int(count))


def unindexed(connection: Connection, *, limit: int) -> list[Found]:
    """Return captions that search does not know yet, oldest first."""
    newest = connection.execute(select(func.max(caption_words.c.caption_id))).scalar() or 0
    return after(connection, newest, limit=limit)


def index(connection: Connection, captions_: Sequence[Indexed]) -> None:
    """Index captions by their words, and count them."""
    rows = [{"caption_id": one.found.id, "translated": one.translated[:400], "words": one.words} for one in captions_]
    if rows:
        connection.execute(insert(caption_words), rows)
    known = (one.found for one in captions_)
    rollup.add(connection, (Counted(one.id, one.site, one.captured_at, one.is_danger) for one in known))


def _select() -> Select[Any]:
    wanted = (getattr(table.c, name) for name in _OWN)
    translated = func.coalesce(caption_words.c.translated, "").label("translated")
    return select(*wanted, translated).join(caption_words, caption_words.c.caption_id == table.c.id, isouter=True)


_OWN: Final = ("id", "site", "device", "stream", "captured_at", "text", "language", "confidence", "model")


_BY_TIME: Final = (table.c.captured_at.desc(), table.c.id.desc())


def _found(connection: Connection, question: Question, limit: int) -> list[int]:
    """Return the ids of a page. Words lead the way, else dangers, else places and times, else the ids themselves."""
    if question.rule or question.danger_only:
        query = _among_decisions(question, _ids(connection, question))
    elif question.terms is not None:
        query = _among_words(connection, question, _ids(connection, question))
    elif question.site or question.since is not None or question.until is not None:
        return _by_time(connection, question, limit)
    else:
        query = _within(select(table.c.id), question).order_by(table.c.id.desc())
    return list(connection.execute(query.limit(limit)).scalars())


def _ids(connection: Connection, question: Question) -> tuple[int, int]:
    """Say among which ids captions of a stretch of time are, so that no index is read from its end."""
    last = LARGEST_ID if question.before is None else question.before - 1
    if question.since is None and question.until is None:
        return 0, last
    first, newest = rollup.ids_between(connection, site=question.site, since=question.since, until=question.until)
    return first, min(last, newest)


def _among_decisions(question: Question, ids: tuple[int, int]) -> Select[Any]:
    fired = select(decision.c.caption_id).distinct().join(table, table.c.id == decision.c.caption_id)
    fired = _within(fired, question)
    fired = fired.where(decision.c.caption_id.between(*ids), decision.c.outcome != Outcome.CANCELLED.value)
    if question.rule:
        fired = fired.where(decision.c.rule == question.rule)
    if question.terms is not None:
        fired = fired.join(caption_words, caption_words.c.caption_id == table.c.id).where(_anywhere(question.terms))
    return fired.order_by(decision.c.caption_id.desc())


def _among_words(connection: Connection, question: Question, ids: tuple[int, int]) -> Select[Any]:
    terms = question.terms or ()
    if connection.dialect.name == "sqlite" and _has_fts(connection):
        query = select(table.c.id).select_from(_FTS).join(table, table.c.id == _FTS.c.rowid)
        query = _within(query, question).where(_fts5(terms), _FTS.c.rowid.between(*ids))
        return query.order_by(_FTS.c.rowid.desc())
    says = _postgresql(terms) if connection.dialect.name == "postgresql" else _anywhere(terms)
    query = select(table.c.id).join(caption_words, caption_words.c.caption_id == table.c.id)
    return _within(query, question).where(table.c.id.between(*ids), says).order_by(table.c.id.desc())


def _by_time(connection: Connection, question: Question, limit: int) -> list[int]:
    """Return the newest by the time at which they were taken: the indexes of each camera and site are in that order."""
    if question.site and question.device:
        parts = [table.c.source == one for one in _cameras(connection, question.site, question.device)]
    else:
        names = [question.site] if question.site else captions.sites(connection)
        parts = [table.c.site == site for site in names]
    found = []
    earlier = _before(connection, question.before)
    asked = replace(question, before=None)
    for part in parts:
        query = _within(select(table.c.captured_at, table.c.id), asked).where(part, earlier)
        found += [(row.captured_at, row.id) for row in connection.execute(query.order_by(*_BY_TIME).limit(limit))]
    return [number for _, number in sorted(found, reverse=True)[:limit]]


def _before(connection: Connection, caption_id: int | None) -> ColumnElement[bool]:
    """Ask for captions taken before one, or, where that has been deleted since, stored before it."""
    if caption_id is None:
        return true()
    taken_at = connection.execute(select(table.c.captured_at).where(table.c.id == caption_id)).scalar()
    if taken_at is None:
        return table.c.id < caption_id
    return or_(table.c.captured_at < taken_at, and_(table.c.captured_at == taken_at, table.c.id < caption_id))


def _cameras(connection: Connection, site: str, device: str) -> Iterator[str]:
    prefix = contract.source(site, device, "")
    found = connection.execute(select(func.min(table.c.source)).where(table.c.source > prefix)).scalar()
    while found is not None and found.startswith(prefix):
        yield found
        found = connection.execute(select(func.min(table.c.source)).where(table.c.source > found)).scalar()


def _within(query: Select[Any], question: Question) -> Select[Any]:
    """Keep to the places, times and numbers of a question."""
    # Of a sentence that was deleted the row may stay for a while: there is nothing to find in it.
    query = query.where(table.c.text != GONE)
    exact = ((table.c.site, question.site), (table.c.device, question.device))
    query = query.where(*(column == value for column, value in exact if value))
    if question.since is not None:
        query = query.where(table.c.captured_at >= question.since)
    if question.until is not None:
        query = query.where(table.c.captured_at < question.until)
    return query if question.before is None else query.where(table.c.id < question.before)


def _postgresql(terms: Sequence[SearchTerm]) -> ColumnElement[bool]:
    # Terms are letters and digits alone: none of them can end the quotes.
    asked = " & ".join(f"'{term.text}'{':*' if term.prefix else ''}" for term in terms)
    vector = func.array_to_tsvector(func.string_to_array(caption_words.c.words, " "))
    return vector.op("@@", is_comparison=True)(cast(asked, TSQUERY))


_FTS: Final = table_of("caption_fts", column("rowid", Integer), column("caption_fts", String))


def _fts5(terms: Sequence[SearchTerm]) -> ColumnElement[bool]:
    # As above: letters and digits alone.
    asked = " ".join(f'"{term.text}"{"*" if term.prefix else ""}' for term in terms)
    return _FTS.c.caption_fts.op("MATCH", is_comparison=True)(asked)


def _anywhere(terms: Sequence[SearchTerm]) -> ColumnElement[bool]:
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
