"""Log lines: an event's name and its fields, as JSON or, on a terminal, as text.

Every program writes the same keys: `time` (RFC 3339, UTC), `level`, `logger`, `process` (the verb), `event`, `reason`
where there is one, then the event's own fields, and `traceback` after an error that nobody caught.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, TextIO

import msgspec

from foundation import terminal

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""Attributes that every record has; any other one came as `extra`."""

_RESERVED: Final = frozenset({"time", "level", "logger", "process", "event", "traceback"})
"""Keys of the schema; a field of the same name is written with a trailing underscore."""

_COLOURS: Final = {"warning": "\033[33m", "error": "\033[31m", "critical": "\033[1;31m"}
_PLAIN: Final = "\033[0m"


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object on one line."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without its line break."""
        line: dict[str, object] = {
            "time": _time(record).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": self._process,
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        try:
            return msgspec.json.encode(line, enc_hook=str).decode()
        except UnicodeEncodeError:  # a file's name with bytes that are not UTF-8
            return json.dumps(line, default=str)


class TextLines(logging.Formatter):
    """Formats a record for a person: local time, level, event, fields; a traceback on lines of its own."""

    def __init__(self, *, coloured: bool) -> None:
        super().__init__()
        self._coloured = coloured

    def format(self, record: logging.LogRecord) -> str:
        """Return the line or lines without the last line break."""
        level = record.levelname.lower()
        shown = f"{level:<8}"
        if self._coloured and level in _COLOURS:
            shown = f"{_COLOURS[level]}{shown}{_PLAIN}"
        words = [
            _time(record).astimezone().strftime("%H:%M:%S"),
            shown,
            f"{record.name}: {_printable(record.getMessage())}",
        ]
        words += [f"{_printable(name)}={_value(value)}" for name, value in _fields(record).items()]
        if record.exc_info:
            words[-1] += "\n" + self.formatException(record.exc_info)
        return " ".join(words)


def configure(process: str, *, level: int, quiet: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Write every log record from `level` on to `stream`, or else standard error: text on a terminal, JSON elsewhere.

    `process` is the verb that this process runs. Of the loggers in `quiet`, which are libraries', only warnings and
    above are written.
    """
    handler = logging.StreamHandler(stream)
    person = terminal.shows(handler.stream)
    handler.setFormatter(TextLines(coloured="NO_COLOR" not in os.environ) if person else JsonLines(process))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in quiet:
        logging.getLogger(name).setLevel(logging.WARNING)


def log_uncaught() -> None:
    """Write warnings, and exceptions that no code catches in any thread, as log lines too."""
    logging.captureWarnings(True)
    sys.excepthook = _crashed
    threading.excepthook = lambda about: _crashed(about.exc_type, about.exc_value, about.exc_traceback)


def _crashed(kind: type[BaseException], error: BaseException | None, at: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt) or error is None:
        sys.__excepthook__(kind, error or kind(), at)
        return
    logging.getLogger(__name__).critical("crashed", exc_info=(kind, error, at))


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    """Return what came as `extra`, the reason first."""
    extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    reason = {"reason": extra.pop("reason")} if "reason" in extra else {}
    return reason | {f"{name}_" if name in _RESERVED else name: value for name, value in extra.items()}


def _printable(text: str) -> str:
    """Return the text with control characters, which a terminal would obey, as escapes."""
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)


def _value(value: object) -> str:
    if isinstance(value, bool | int | float):
        return str(value)
    text = str(value)
    plain = text and all(sign.isprintable() and sign not in ' "=' for sign in text)
    return text if plain else json.dumps(text, ensure_ascii=not text.isprintable())
