"""Programs that are forked behave as programs that are started."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.preloaded import Preloaded


@pytest.fixture(scope="module")
def preloaded() -> Iterator[Preloaded]:
    server = Preloaded(("tests.testing.programs",), {})
    yield server
    server.close()


def test_a_program_has_its_arguments_folder_environment_and_pipes(preloaded: Preloaded, tmp_path: Path) -> None:
    program = "tests.testing.programs:describe"
    with preloaded.start(program, ["a", "b c"], cwd=tmp_path, environment={"COLOUR": "red"}) as started:
        output, log = started.communicate()

    assert output.splitlines() == ["['a', 'b c']", str(tmp_path), "red"]
    assert log == "to the log\n"
    assert started.returncode == 3


def test_output_may_go_to_files(preloaded: Preloaded, tmp_path: Path) -> None:
    with (tmp_path / "out").open("ab") as out, (tmp_path / "log").open("ab") as log:
        started = preloaded.start("tests.testing.programs:describe", [], environment={}, output=out, log=log)

    assert started.wait() == 3
    assert (tmp_path / "out").read_text().splitlines()[0] == "[]"
    assert (tmp_path / "log").read_text() == "to the log\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it_as_it_ends_any_process(preloaded: Preloaded, number: signal.Signals) -> None:
    with preloaded.start("tests.testing.programs:sleep", []) as started:
        assert started.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            started.wait(0.01)
        started.send_signal(number)

        assert started.wait() == -number
        assert started.poll() == -number


def test_a_failure_is_a_traceback_and_exit_code_1(preloaded: Preloaded) -> None:
    with preloaded.start("tests.testing.programs:fail", []) as started:
        _, log = started.communicate()

    assert started.returncode == 1
    assert log.splitlines()[-1] == "ZeroDivisionError: division by zero"


def test_closing_ends_what_still_runs() -> None:
    server = Preloaded(("tests.testing.programs",), {})
    with server.start("tests.testing.programs:sleep", []) as started:
        server.close()

    with pytest.raises(ProcessLookupError):
        os.kill(started.pid, 0)
