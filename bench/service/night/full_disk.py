"""A disk that can be full: while it is, this process cannot lengthen or change any file of the database."""

import resource
from typing import Any

from sqlalchemy import Engine, event


class FullDisk:
    """Limits the size of files to nothing for as long as a connection is in use.

    SQLite then meets at every write what it meets on a full disk; reading goes on.
    """

    def __init__(self, engine: Engine) -> None:
        self.is_full = False
        self._soft, self._hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        event.listen(engine, "connect", _hurry)
        event.listen(engine, "checkout", self._checkout)
        event.listen(engine, "checkin", self._checkin)

    def _checkout(self, *_: Any) -> None:
        if self.is_full:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, self._hard))

    def _checkin(self, *_: Any) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._soft, self._hard))


def _hurry(connection: Any, _record: Any) -> None:
    """Let commits not wait for the disk: no night here ends by a power cut."""
    connection.execute("PRAGMA synchronous = OFF")
