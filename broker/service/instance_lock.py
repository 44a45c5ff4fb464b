"""Makes sure that an instance's name is used once: two under one name would throw each other out of the MQTT server."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from broker.config.errors import Unavailable
from foundation.errors import from_os_error


@contextmanager
def hold(database: Path, name: str) -> Iterator[None]:
    """Hold the lock file of a name, beside an SQLite database, until the end or the death of this process.

    Raises `Unavailable` naming the process that holds it.
    """
    path = database.with_name(f"{database.name}.{name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="ascii")
    except OSError as error:
        raise from_os_error(error, str(path), remedy="this user must be able to write there") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise Unavailable(
                f"{database}: another wordcam-broker (process {holder}) works on it as {name!r}; stop it, or give this"
                " one an mqtt.client_id of its own"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
