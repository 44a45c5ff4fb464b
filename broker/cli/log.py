"""Log lines as JSON: a time, a level, an event and its fields."""

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Final

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonLines(logging.Formatter):
    """Writes what was passed as `extra` beside the event's name; a traceback becomes one field."""

    def format(self, record: logging.LogRecord) -> str:
        """Give one line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        line.update((key, value) for key, value in vars(record).items() if key not in _STANDARD)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def catch_the_rest() -> None:
    """Let warnings, and what nobody catches, be lines like all others: whoever collects them reads nothing else."""
    logging.captureWarnings(True)
    sys.excepthook = _crashed
    threading.excepthook = lambda about: _crashed(about.exc_type, about.exc_value, about.exc_traceback)


def _crashed(kind: type[BaseException], error: BaseException | None, at: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt) or error is None:
        sys.__excepthook__(kind, error or kind(), at)
        return
    logging.getLogger(__name__).critical("crashed", exc_info=(kind, error, at))
