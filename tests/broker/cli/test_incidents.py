"""Incidents and silences in the terminal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from broker.cli import main
from tests.broker.running_service import write_config
from tests.broker.scene import Scene


class Run(Protocol):
    """Runs one command, and gives what it says: its answer, or its complaint where it fails."""

    def __call__(self, *words: str, code: int = 0) -> str: ...


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Scene]:
    """One gun at noon in Seoul, told to the guard."""
    write_config(tmp_path)
    made = Scene(tmp_path)
    made.say("a man with a gun")
    made.deliver()
    yield made
    made.close()


@pytest.fixture
def run(room: Scene, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str, code: int = 0) -> str:
        assert main.main([*words, "--config", str(room.folder / "broker.yaml")]) == code
        said = capsys.readouterr()
        return said.out if code == 0 else said.err

    return run


def test_an_incident_is_listed_and_shown_with_every_reason(run: Run) -> None:
    line = "1  2026-03-14 12:00:00  critical gun at north-gate (pi-01/cam-0), seen 1 times, unanswered\n"

    assert run("incidents") == line
    assert run("incidents", "show", "1") == line + (
        "  12:00:00  opened gun at pi-01/cam-0: says 'gun'\n"
        "  12:00:00  notified alert: guard: nobody was notified yet\n"
        "  12:00:00  message 1 to guard: alert, sent: ALERT gun\n"
    )


def test_an_incident_is_answered_once(run: Run) -> None:
    assert run("incidents", "acknowledge", "1", "--by", "kim") == "1: acknowledged by kim\n"
    assert run("incidents", "acknowledge", "1", "--by", "lee") == "1: kim has acknowledged it before\n"
    assert run("incidents", "false-alarm", "1", "--by", "kim") == "1: false alarm by kim\n"
    assert run("incidents", "resolve", "1") == "1: it is over already: false alarm\n"
    assert run("incidents") == "no open incidents; `--all` lists those that are over\n"
    assert "false alarm by kim" in run("incidents", "--all")


def test_a_number_that_is_wrong_or_missing_is_named(run: Run) -> None:
    assert "there is no incident 9" in run("incidents", "resolve", "9", code=78)
    assert "there is no such incident" in run("incidents", "show", "9", code=78)
    assert "incidents show: which? Give its number" in run("incidents", "show", code=78)


def test_a_silence_is_made_listed_and_ended(run: Run, room: Scene) -> None:
    assert run("silence", "list") == "no silences\n"

    made = run("silence", "add", "site=north-gate", "danger=smoke,fire", "--reason", "welding", "--by", "kim")
    ended = run("silence", "end", "1", "--by", "lee")

    assert made.startswith("1  site=north-gate danger=smoke,fire  until ")
    assert made.endswith(", in force, by kim: welding\n")
    assert ended == "1: ended\n"
    assert "ended by lee" in run("silence", "list")
    assert run("silence", "end", "1") == "1: there is no such silence in force\n"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("site=a",), "a silence needs its author and a reason"),
        (("--reason", "x"), "a silence needs matchers, such as site=north-gate"),
        (("north-gate", "--reason", "x"), "'north-gate' is no matcher; write it like site=north-gate"),
        (
            ("place=a", "--reason", "x"),
            "'place' cannot be silenced; known: site, device, stream, danger, rule, severity",
        ),
        (("site=a", "site=b", "--reason", "x"), "site stands twice; write its values as site=a,b"),
        (("site=", "--reason", "x"), "site needs a value"),
        (("site=a", "--reason", "x", "--minutes", "0"), "--minutes 0: more than 0, 30 days at most"),
        (("site=a", "--reason", "x", "--minutes", "nan"), "--minutes nan: more than 0"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_a_silence_that_says_too_little_or_too_much_is_refused(run: Run, words: tuple[str, ...], problem: str) -> None:
    assert problem in run("silence", "add", *words, code=78)
