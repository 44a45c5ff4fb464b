"""Rules on what was said before: sightings that add up, and the history of a database."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from broker.cli import main
from broker.rules import compiler
from broker.rules.engine import Seen
from broker.rules.replay import Replay
from broker.rules.schema import RulesFile, RuleText
from broker.rules.schema import Seen as Often
from tests.broker.device import NOON, event, said
from tests.broker.running_service import write_config
from tests.broker.scene import Scene

THRICE = compiler.build(
    RulesFile(rules=(RuleText(name="gun", says=("gun",), seen=Often(times=3, of=5, within_seconds=10)),)),
    origin="rules.yaml",
)


def replay(*said: tuple[float, str]) -> list[bool]:
    """Say sentences at seconds, and return which of them raise an alarm."""
    trial = Replay(THRICE)
    judged = [trial.judge(Seen(text, stream="cam-0"), at=NOON + timedelta(seconds=at)) for at, text in said]
    return [any(one.counts for one in found) for found in judged]


@pytest.mark.parametrize(
    ("said", "fires"),
    [
        ([(0, "a gun"), (1, "a gun"), (2, "a gun")], [False, False, True]),
        ([(0, "a gun"), (1, "a dog"), (2, "a gun"), (3, "a dog"), (4, "a gun")], [False] * 4 + [True]),
        ([(0, "a gun"), (6, "a gun"), (11, "a gun")], [False, False, False]),
        ([(0, "a gun"), (1, "a gun"), (2, "x"), (3, "x"), (4, "x"), (5, "a gun")], [False] * 6),
    ],
    ids=["three in a row", "three of five", "too slow", "three of six"],
)
def test_a_danger_counts_when_it_was_seen_often_enough(said: list[tuple[float, str]], fires: list[bool]) -> None:
    assert replay(*said) == fires


def test_each_camera_has_its_own_memory() -> None:
    trial = Replay(THRICE)

    for stream in ("a", "b", "c"):
        trial.judge(Seen("a gun", stream=stream), at=NOON)

    assert (trial.totals.alarming, trial.totals.not_yet["gun"]) == (0, 3)


def test_the_service_counts_sightings_as_a_replay_does(tmp_path: Path) -> None:
    room = Scene(tmp_path)
    room.processor.rulebook = THRICE

    outcomes = []
    for _ in range(3):
        outcomes += room.say("a gun")
        room.clock.now += timedelta(seconds=2)
    room.close()

    assert outcomes == ["gun: not-yet", "gun: not-yet", "gun: first"]
    assert len(room.alerts) == 1


@pytest.fixture
def past(tmp_path: Path) -> Path:
    """A configuration whose database has three captions of noon in Seoul."""
    room = Scene(tmp_path)
    room.processor.process(
        [said(event(text, seq=n)) for n, text in enumerate(("a man walks", "a man with a gun", "a fire hydrant"))]
    )
    room.close()
    return write_config(tmp_path)


WHEN = ["--from", "2026-03-14T11:00", "--to", "2026-03-14T13:00"]


def test_history_shows_what_would_have_fired_and_totals(past: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["rules", "test", "--history", *WHEN, "--config", str(past)]) == 0

    assert capsys.readouterr().out == (
        '2026-03-14 12:00:01 north-gate/pi-01/cam-0 "a man with a gun"\n'
        "  DANGER: gun fires, says 'gun'\n"
        '2026-03-14 12:00:02 north-gate/pi-01/cam-0 "a fire hydrant"\n'
        "  fire cancelled: only in 'fire hydrant'\n\n"
        "3 sentences, 1 alarming\n  gun: 1 fired\n  fire: 1 cancelled\n"
    )


def test_history_is_given_as_json_lines_too(past: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["rules", "test", "--history", "--all", "--json", *WHEN, "--config", str(past)]) == 0

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["text"], len(line["fired"])) for line in lines] == [
        ("a man walks", 0),
        ("a man with a gun", 1),
        ("a fire hydrant", 0),
    ]
    assert lines[1]["camera"] == "north-gate/pi-01/cam-0"


def test_history_keeps_to_its_hours(past: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hours = ["--from", "2026-03-14T13:00", "--to", "2026-03-14T14:00"]

    assert main.main(["rules", "test", "--history", *hours, "--config", str(past)]) == 0

    assert capsys.readouterr().out == "\n0 sentences, 0 alarming\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--history", "--from", "yesterday"], "--from yesterday: no time; write it like 2026-03-13T22:00"),
        (["--history", "a.jsonl"], "name a file, or --history, and not both"),
        ([], "name a file, or --history, and not both"),
    ],
)
def test_a_question_that_cannot_be_answered_is_named(
    past: Path, arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["rules", "test", *arguments, "--config", str(past)]) == 78

    assert problem in capsys.readouterr().err
