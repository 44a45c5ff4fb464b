"""Who is away, in the terminal."""

from collections.abc import Callable
from pathlib import Path

import pytest

from broker.cli import main
from tests.broker.running_service import GUARD, write_config

CHIEF = {"name": "chief", "phone": "+12025550178"}

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    config = write_config(tmp_path, recipients=[GUARD, CHIEF])

    def run(*words: str, code: int = 0) -> str:
        assert main.main(["away", *words, "--config", str(config)]) == code
        said = capsys.readouterr()
        return said.out if code == 0 else said.err

    return run


def test_someone_is_set_away_listed_and_set_back(run: Run) -> None:
    assert run() == "nobody is away\n"
    assert run("guard", "--until", "2999-03-14 18:00", "--because", "holiday") == "guard: away until 2999-03-14 18:00\n"
    assert run() == "guard  away until 2999-03-14 18:00: holiday\n"
    assert run("guard", "--back") == "guard: is back\n"
    assert run("guard", "--back") == "guard: was not set away\n"


def test_a_day_counts_to_its_end(run: Run) -> None:
    assert run("guard", "--until", "2999-03-14") == "guard: away until 2999-03-15 00:00\n"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["gaurd", "--until", "2999-03-14"], "did you mean `guard`?"),
        (["guard"], "until when?"),
        (["guard", "--until", "soon"], "write it like 2026-03-14"),
        (["guard", "--until", "2020-01-01"], "is over already"),
    ],
)
def test_what_is_wrong_is_said(run: Run, words: list[str], why: str) -> None:
    assert why in run(*words, code=78)
