"""Logging: an event name with fields, one JSON object a line on stderr."""

import logging
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

USUAL: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
"""What every record has; anything more came as a field."""


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: when, how grave, which process, what, and its fields."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Give the line without its end."""
        fields: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "process": self._process,
            "event": record.getMessage(),
        }
        fields |= {name: value for name, value in record.__dict__.items() if name not in USUAL}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(fields, enc_hook=str).decode()


def configure(process: str, *, verbose: bool) -> None:
    """Send every log record of this process to stderr; `verbose` shows each caption too."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(process))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
