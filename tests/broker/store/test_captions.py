"""Captions in the database: each once, spelt as the columns' types spell them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from broker.rules import compiler
from broker.rules import engine as rules
from broker.rules import sentence as sentences
from broker.rules.engine import Seen
from broker.store import captions, migrate
from broker.store.engine import open_engine, reading, writing
from broker.store.tables import core
from contract.caption import Label
from tests.broker.device import NOON, event
from tests.broker.running_service import RULES

BOOK = compiler.load(RULES)

WORDS = sorted(
    {word for rule in BOOK.rules for said in rule.says for slot in getattr(said, "slots", ()) for word in slot.words}
)


def test_the_short_way_writes_what_the_long_way_writes(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "wordcam.db")
    migrate.require_current(engine)
    moment = datetime(2026, 3, 14, 3, 0, 0, 120, tzinfo=UTC)
    facts: dict[str, Any] = {
        "labels": (Label("person", 2, 0.5),),
        "hazards": {"gun": 0.25},
        "captured_at": moment,
        "time": moment,
    }
    with writing(engine) as connection:
        captions.add(connection, [event(**facts), event(seq=1)], received_at=NOON)
        captions.add_one(connection, event(**facts, id="another-1"), received_at=NOON)
        captions.add_one(connection, event(seq=1, id="another-2"), received_at=NOON)
    with reading(engine) as connection:
        short, plain, long, plain_long = connection.execute(select(core.caption).order_by(core.caption.c.id)).all()

    assert short[3:] == long[3:]
    assert plain[3:] == plain_long[3:]
    engine.dispose()


def test_a_caption_is_stored_once_whichever_way_it_comes(engine: Engine) -> None:
    with writing(engine) as connection:
        assert captions.add(connection, [event(), event(), event(seq=1)], received_at=NOON) == 2
        assert captions.add(connection, [event(), event(seq=2)], received_at=NOON) == 1
        assert captions.add_one(connection, event(seq=2), received_at=NOON) is None
        stored = captions.add_one(connection, event(seq=3), received_at=NOON)

    assert stored is not None
    assert stored.event == event(seq=3)


@given(st.lists(st.sampled_from([*WORDS, "a", "no", "dog,", "the", "table."]), min_size=1, max_size=9).map(" ".join))
def test_a_caption_that_a_rule_has_a_finding_for_is_never_passed_over(text: str) -> None:
    caption = event(text[:200].strip())

    assert rules.may_concern(BOOK, caption) or rules.judge(BOOK, Seen.of(caption)) == []


@given(st.sampled_from(["gun", "fire", "smoke", "falling", "fight"]), st.floats(0, 1))
def test_nor_is_one_whose_model_believes_in_a_danger(term: str, probability: float) -> None:
    caption = event("a man walks", hazards={term: probability})

    assert rules.may_concern(BOOK, caption) or rules.judge(BOOK, Seen.of(caption)) == []


@given(st.text(max_size=60))
def test_the_quick_look_at_a_sentence_finds_the_same_stems(text: str) -> None:
    assert sentences.stems_of(text) - {""} == sentences.read(text).stems - {""}
