"""Log lines."""

import json
import logging
from pathlib import Path

from edge.process.log import JsonLines


def test_a_record_is_one_json_object_on_one_line() -> None:
    record = logging.makeLogRecord(
        {"levelno": logging.WARNING, "levelname": "WARNING", "msg": "not\nconnected", "created": 0.5, "retry": 1.5}
    )
    record.file = Path("/dev/video0")

    line = JsonLines("send").format(record)

    assert "\n" not in line
    assert json.loads(line) == {
        "at": "1970-01-01T00:00:00.500000Z",
        "level": "warning",
        "process": "send",
        "event": "not\nconnected",
        "retry": 1.5,
        "file": "/dev/video0",
    }


def test_an_exception_brings_its_traceback() -> None:
    try:
        int("here")
    except ValueError as error:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": (ValueError, error, error.__traceback__)})

    assert "ValueError: invalid literal" in json.loads(JsonLines("look").format(record))["traceback"]
