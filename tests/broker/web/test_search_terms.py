"""Words are found in either language, in any form, on every database that can be had here."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from broker.store import captions, migrate
from broker.store import search as store
from broker.store.engine import open_database, open_engine, reading, writing
from broker.store.search import Question, SearchTerm
from broker.web import search_terms
from tests.broker.device import event

NOW = datetime(2026, 3, 14, 3, 0, tzinfo=UTC)

SAID = (
    ("two knives lie on a table", "칼 두 개가 탁자 위에 놓여 있다"),
    ("a man is holding a knife", "남자가 칼을 들고 있다"),
    ("a child runs across the street", "아이가 거리를 가로질러 달린다"),
    ("men are fighting", "남자들이 싸우고 있다"),
)


@pytest.fixture(params=["FTS5", "SQLite without FTS5", "PostgreSQL"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database with a few captions that search knows."""
    if request.param == "PostgreSQL":
        engine = open_database(request.getfixturevalue("new_postgresql")())
    else:
        engine = open_engine(tmp_path / "wordcam.db")
        migrate.migrate(engine)
    events = [
        event(said, seq=number, captured_at=NOW + timedelta(hours=number)) for number, (said, _) in enumerate(SAID)
    ]
    with writing(engine) as connection:
        if request.param == "SQLite without FTS5":
            for statement in ("TRIGGER caption_words_added", "TRIGGER caption_words_gone", "TABLE caption_fts"):
                connection.execute(text(f"DROP {statement}"))
        captions.add(connection, events, received_at=NOW)
        found = store.unindexed(connection, limit=10)
        entries = [search_terms.entry(one, translated) for one, (_, translated) in zip(found, SAID, strict=True)]
        store.index(connection, entries)
    yield engine
    engine.dispose()


def _ids(engine: Engine, words: str = "", **asked: object) -> list[int]:
    with reading(engine) as connection:
        question = Question(search_terms.asked(words), **asked)  # type: ignore[arg-type]  # a test's
        return [found.id for found in store.find(connection, question)]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("knife", [2, 1]),
        ("KNIVES", [2, 1]),
        ("man knife", [2]),
        ("칼", [2, 1]),
        ("칼을", [2]),
        ("남자", [4, 2]),
        ("남자가", [4, 2]),
        ("아이", [3]),
        ("거리 달", [3]),
        ("fighting", [4]),
        ("hydrant", []),
        ("...", []),
        ("", [4, 3, 2, 1]),
    ],
)
def test_words_are_found_in_any_form(engine: Engine, words: str, ids: list[int]) -> None:
    assert _ids(engine, words=words) == ids


def test_filters_narrow_what_is_found(engine: Engine) -> None:
    assert _ids(engine, words="남자", since=NOW + timedelta(hours=2)) == [4]
    assert _ids(engine, words="남자", until=NOW + timedelta(hours=2)) == [2]
    assert _ids(engine, site="elsewhere") == []
    assert _ids(engine, before=3) == [2, 1]
    assert _ids(engine, danger_only=True) == []
    assert _ids(engine, device="pi-01") == [4, 3, 2, 1]


def test_pages_of_a_place_follow_each_other_in_time(engine: Engine) -> None:
    with writing(engine) as connection:
        late = event("a red car from long ago", seq=9, captured_at=NOW - timedelta(days=2))
        captions.add(connection, [late], received_at=NOW)

    with reading(engine) as connection:
        pages = [[4, 3], [2, 1], [5], []]
        before = None
        for page in pages:
            found = store.find(connection, Question(site="north-gate", before=before), limit=2)
            assert [one.id for one in found] == page
            before = found[-1].id if found else None


def test_the_page_after_a_deleted_caption_goes_on_by_number(engine: Engine) -> None:
    assert _ids(engine, site="north-gate", before=99) == [4, 3, 2, 1]


def test_the_last_word_of_a_device_is_that_of_its_last_picture(engine: Engine) -> None:
    with writing(engine) as connection:
        late = event("a red car from long ago", seq=9, captured_at=NOW - timedelta(days=2))
        other = event("a dog", seq=10, captured_at=NOW - timedelta(days=2), device="pi-02")
        captions.add(connection, [late, other], received_at=NOW)

    with reading(engine) as connection:
        last = store.last_words(connection)
    assert {place: found.id for place, found in last.items()} == {
        ("north-gate", "pi-01"): 4,
        ("north-gate", "pi-02"): 6,
    }


def test_a_deleted_caption_is_found_no_more(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM caption WHERE id = 2"))

    assert _ids(engine, words="칼") == [1]


def test_each_caption_is_indexed_once(engine: Engine) -> None:
    with reading(engine) as connection:
        assert store.unindexed(connection, limit=10) == []


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("Knives!", [SearchTerm("knife", prefix=False)]),
        ("남자가", [SearchTerm("남자", prefix=True)]),
        ("가을", [SearchTerm("가을", prefix=True)]),
        ("불 fire", [SearchTerm("불", prefix=True), SearchTerm("fire", prefix=False)]),
        ("' OR 1=1 --", [SearchTerm("or", prefix=False), SearchTerm("1", prefix=False)]),
    ],
)
def test_a_question_becomes_words_alone(question: str, terms: list[SearchTerm]) -> None:
    assert search_terms.terms(question) == terms


def test_a_very_long_question_is_cut() -> None:
    assert len(search_terms.terms(" ".join(f"w{n}" for n in range(100)))) == search_terms.MAX_TERMS
