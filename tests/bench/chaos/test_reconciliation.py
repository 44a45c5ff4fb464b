"""What `make faults` counts: a verdict that overlooks something would be worse than none."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from bench.chaos import __main__, reconciliation
from bench.chaos.publishers import Crowd
from broker.notify import notifications
from broker.store import migrate
from broker.store.engine import open_engine, writing
from broker.store.tables import core
from testing.fake_twilio import FakeTwilio, TextMessage
from tests.broker.device import GUARD, NOON, Clock, event, said
from tests.broker.scene import RULES, make_processor

Harm = Callable[[Path, Crowd, FakeTwilio], None]


def accepted(body: str) -> TextMessage:
    return TextMessage("SM1", GUARD.e164, body, None, None, NOON, accepted_at=0.0)


def fought(folder: Path) -> tuple[Crowd, FakeTwilio]:
    """Return a small site after a fight in which nothing went wrong."""
    engine = open_engine(folder / "wordcam.db")
    migrate.migrate(engine)
    crowd, twilio = Crowd(0, 1, 2, random.Random(1)), FakeTwilio()
    quiet, danger = event("a man walks"), event("a gun", seq=1)
    crowd.said, crowd.dangers = {one.id: one for one in (quiet, danger)}, [danger]
    make_processor(engine, RULES, [GUARD], clock=Clock(NOON)).process([said(quiet), said(danger)])
    with writing(engine) as connection:
        notifications.begin(connection, 1, text="ALERT", provider="twilio", at=NOON)
        notifications.mark_sent(connection, 1, provider_id="SM1", at=NOON)
    engine.dispose()
    twilio.messages = [accepted("ALERT")]
    return crowd, twilio


def lose_a_caption(folder: Path, crowd: Crowd, twilio: FakeTwilio) -> None:
    lost = event("a man runs", seq=9)
    crowd.said[lost.id] = lost


def forget_a_danger(folder: Path, crowd: Crowd, twilio: FakeTwilio) -> None:
    crowd.dangers.append(event("a gun", seq=1, site="elsewhere"))


def take_twice(folder: Path, crowd: Crowd, twilio: FakeTwilio) -> None:
    twilio.messages *= 2


def take_never(folder: Path, crowd: Crowd, twilio: FakeTwilio) -> None:
    twilio.messages = []


def take_another(folder: Path, crowd: Crowd, twilio: FakeTwilio) -> None:
    twilio.messages.append(accepted("SALE"))


def leave_it_waiting(folder: Path, crowd: Crowd, twilio: FakeTwilio) -> None:
    engine = open_engine(folder / "wordcam.db")
    with writing(engine) as connection:
        connection.execute(update(core.alert).values(state="doubt"))
    engine.dispose()
    twilio.messages = []


def drop_the_intent(folder: Path, crowd: Crowd, twilio: FakeTwilio) -> None:
    engine = open_engine(folder / "wordcam.db")
    with writing(engine) as connection:
        connection.execute(delete(core.alert))
    engine.dispose()
    twilio.messages = []


def nothing(folder: Path, crowd: Crowd, twilio: FakeTwilio) -> None:
    pass


@pytest.mark.parametrize(
    ("harm", "wrong"),
    [
        (nothing, {}),
        (lose_a_caption, {"lost": 1}),
        (forget_a_danger, {"untold": 1}),
        (take_twice, {"taken_twice": 1}),
        (take_never, {"never_taken": 1}),
        (take_another, {"unknown": 1}),
        (leave_it_waiting, {"unsent": 1}),
        (drop_the_intent, {"untold": 1}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_whatever_is_wrong_is_counted(tmp_path: Path, harm: Harm, wrong: dict[str, int]) -> None:
    crowd, twilio = fought(tmp_path)
    harm(tmp_path, crowd, twilio)
    engine = open_engine(tmp_path / "wordcam.db")

    found = reconciliation.judge(engine, crowd, twilio)

    engine.dispose()
    assert {name: count for name in reconciliation.WRONG if (count := getattr(found, name))} == wrong
    assert found.good is (wrong == {})


def test_times_are_spread_from_the_least_to_the_most() -> None:
    assert __main__.spread([3.0, 1.0, 2.0]) == {"count": 3, "min": 1.0, "median": 2.0, "p95": 3.0, "max": 3.0}
    assert __main__.spread([]) == {"count": 0}


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_short_fight_is_won(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["--kills", "3", "--database", database, "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert (found["kills"], found["good"], found["stopped"]) == (3, True, True)
