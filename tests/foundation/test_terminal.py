"""Characters that a terminal cannot show."""

import io
import os
import subprocess
import sys

import pytest

from foundation import terminal


class Screen(io.TextIOWrapper):
    """A terminal of another encoding."""

    def isatty(self) -> bool:
        return True


def shown(stream: io.TextIOWrapper, text: str) -> bytes:
    stream.write(text)
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


def test_a_person_sees_a_sign_in_place_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", screen)

    terminal.accept_every_character()

    assert shown(screen, "정문 é") == "?? é".encode("latin-1")


def test_a_file_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", file)

    terminal.accept_every_character()

    assert shown(file, "정문") == rb"\uc815\ubb38"


def test_a_stream_of_another_kind_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())

    terminal.accept_every_character()

    sys.stdout.write("정문")
    assert isinstance(sys.stdout, io.StringIO)
    assert sys.stdout.getvalue() == "정문"


def test_a_closed_stream_shows_nothing_to_anyone() -> None:
    stream = io.StringIO()
    stream.close()

    assert not terminal.shows(stream)


@pytest.mark.parametrize("program", ["edge.cli", "broker.cli.main", "trainer.cli", "converter.cli"])
def test_every_program_writes_a_korean_name_in_a_latin_1_locale(program: str) -> None:
    script = f"import sys; from {program} import main\ntry: main(['--help'])\nexcept SystemExit: pass\nprint('정문')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == rb"\uc815\ubb38"
