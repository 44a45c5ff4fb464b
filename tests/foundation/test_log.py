"""Log lines: one schema, JSON for machines and text for people."""

import io
import json
import logging
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation import log
from foundation.log import JsonLines, TextLines


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def usual_logging() -> Iterator[None]:
    """Put the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    logging.basicConfig(level=level, handlers=handlers or [logging.NullHandler()], force=True)


def record(message: str, /, **fields: object) -> logging.LogRecord:
    found = logging.makeLogRecord(
        {"name": "edge.send.mqtt", "levelno": logging.WARNING, "levelname": "WARNING", "msg": message, "created": 0.5}
    )
    vars(found).update(fields)
    return found


def test_a_record_is_one_json_object_on_one_line() -> None:
    fields = {"retry": 1.5, "file": Path("/dev/video0"), "reason": "refused", "at": datetime(2026, 1, 1, tzinfo=UTC)}

    line = JsonLines("send").format(record("not\nconnected", **fields))

    assert "\n" not in line
    assert list(json.loads(line).items()) == [
        ("time", "1970-01-01T00:00:00.500Z"),
        ("level", "warning"),
        ("logger", "edge.send.mqtt"),
        ("process", "send"),
        ("event", "not\nconnected"),
        ("reason", "refused"),
        ("retry", 1.5),
        ("file", "/dev/video0"),
        ("at", "2026-01-01T00:00:00Z"),
    ]


def test_a_field_never_takes_the_place_of_a_key_of_the_schema() -> None:
    line = json.loads(JsonLines("send").format(record("sent", level="mine", event="mine", time=1)))

    assert (line["level"], line["event"], line["time"]) == ("warning", "sent", "1970-01-01T00:00:00.500Z")
    assert (line["level_"], line["event_"], line["time_"]) == ("mine", "mine", 1)


def test_a_name_of_broken_bytes_and_a_number_that_is_none_are_written() -> None:
    line = json.loads(JsonLines("send").format(record("read", file="caf\udce9.jpg")))
    number = json.loads(JsonLines("send").format(record("read", number=math.nan)))

    assert line["file"] == "caf\udce9.jpg"
    assert number["number"] is None


def failed() -> logging.LogRecord:
    error = ValueError("wrong")
    return record("failed", exc_info=(ValueError, error, error.__traceback__))


def test_an_exception_brings_its_traceback() -> None:
    assert "ValueError: wrong" in json.loads(JsonLines("look").format(failed()))["traceback"]
    assert TextLines(coloured=False).format(failed()).splitlines()[-1].startswith("ValueError: wrong")


def test_a_person_reads_one_line_of_words() -> None:
    line = TextLines(coloured=False).format(record("not connected", retry=1.5, reason="no route", host="h", empty=""))

    assert re.fullmatch(
        r'\d\d:\d\d:\d\d warning  edge\.send\.mqtt: not connected reason="no route" retry=1\.5 host=h empty=""', line
    )


def test_a_terminal_is_not_steered_by_what_is_logged() -> None:
    line = TextLines(coloured=False).format(record("\033[2J", text="a\033[31m\nb"))

    assert line.isprintable()


def test_a_terminal_gets_text_and_everything_else_json(usual_logging: None) -> None:
    for stream, begins in ((Screen(), r"\d\d:\d\d:\d\d "), (io.StringIO(), r"\{")):
        log.configure("run", level=logging.INFO, stream=stream)
        logging.getLogger("here").info("started")

        assert re.match(begins, stream.getvalue())


def test_a_warning_is_coloured(usual_logging: None, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Screen()
    monkeypatch.delenv("NO_COLOR", raising=False)
    log.configure("run", level=logging.INFO, stream=stream)
    logging.getLogger("here").info("started")
    logging.getLogger("here").warning("late")

    assert ["\033" in line for line in stream.getvalue().splitlines()] == [False, True]


def test_colours_are_left_out_where_asked(usual_logging: None, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Screen()
    monkeypatch.setenv("NO_COLOR", "1")
    log.configure("run", level=logging.INFO, stream=stream)
    logging.getLogger("here").warning("started")

    assert "\033" not in stream.getvalue()


def test_a_quiet_library_is_heard_from_warnings_on(usual_logging: None) -> None:
    stream = io.StringIO()
    log.configure("run", level=logging.INFO, quiet=["talkative"], stream=stream)
    logging.getLogger("talkative").info("request")
    logging.getLogger("talkative").warning("refused")
    logging.getLogger("talkative").setLevel(logging.NOTSET)

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["refused"]


SETUP = "import logging; from foundation import log; log.log_uncaught(); log.configure('run', level=logging.INFO); "


@pytest.mark.parametrize(
    ("script", "level", "said"),
    [
        ("1 / 0", "critical", "ZeroDivisionError"),
        ("import threading; threading.Thread(target=lambda: 1 / 0).start()", "critical", "ZeroDivisionError"),
        ("import warnings; warnings.warn('old')", "warning", "UserWarning: old"),
    ],
)
def test_what_nobody_catches_is_a_json_line_too(script: str, level: str, said: str) -> None:
    done = subprocess.run([sys.executable, "-c", SETUP + script], capture_output=True, text=True, check=False)

    (line,) = map(json.loads, done.stderr.splitlines())
    assert line["level"] == level
    assert said in line.get("traceback", line["event"])


words = st.text(st.characters(exclude_categories=["Cs"]))


@given(words, st.dictionaries(st.text(min_size=1), words | st.floats() | st.lists(words)))
def test_any_event_is_one_line_either_way(event: str, fields: dict[str, object]) -> None:
    usual = vars(logging.makeLogRecord({}))
    given_fields = {name: value for name, value in fields.items() if name not in usual}

    assert "\n" not in JsonLines("run").format(record(event, **given_fields))
    assert json.loads(JsonLines("run").format(record(event, **given_fields)))["event"] == event
    assert TextLines(coloured=False).format(record(event, **given_fields)).isprintable()
