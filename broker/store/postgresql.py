"""Opens a PostgreSQL database so that writers take turns as they do in SQLite."""

import math
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from broker.config.errors import Locked, Misconfigured

WRITERS: Final = 0x776F_7264_6361_6D31
"""Key of the advisory lock that every writer takes ("wordcam1"); such keys are counted for each database apart."""

IDLE_SECONDS: Final = 8
"""A writer that sends nothing for so long inside a transaction is cut off by the server, and what it wrote is taken
back: its machine was paused or has gone, and all others wait for it. We do milliseconds of work between statements."""

CONNECT: Final[dict[str, Any]] = {
    "application_name": "wordcam-broker",
    # A server whose machine is gone sends nothing; without these, a query would wait for two hours.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Parameters of libpq, where `database.url` does not set them."""

OPERATOR: Final = (
    *("authentication failed", "no password supplied", "no pg_hba.conf entry", "does not exist", "permission denied"),
    *("certificate", "not permitted to log in", "does not support ssl", "invalid connection option", "invalid sslmode"),
)
"""Messages of a server, or of libpq, when a login will never succeed. Refusals to connect carry no SQLSTATE. One that
speaks another language than English is tried again, with its own words in the log."""

MISCONFIGURED: Final = ("28", "3D", "3F", "42501")
"""Beginnings of SQLSTATEs that an operator can mend: authorization, no such database or schema, no privilege."""

TEMPORARY: Final = ("08", "25006", "25P03", "40", "53", "55P03", "57", "58")
"""Beginnings of SQLSTATEs that time may mend: connection, a server that only reads now, idleness, deadlock, disk or
memory full, lock not had in time, server stopped or starting, input and output (PostgreSQL's manual, appendix A)."""


def open_database(url: str, password: str, *, wait_seconds: float) -> Engine:
    """Open a database; nothing is asked of the server yet. Raises `Misconfigured` where the driver is missing."""
    made = make_url(url).set(drivername="postgresql+psycopg")
    if password:
        made = made.set(password=password)
    options = f"-c timezone=UTC -c lock_timeout={math.ceil(wait_seconds * 1000)}"
    ours = CONNECT | {"connect_timeout": max(2, math.ceil(wait_seconds)), "options": options}
    arguments = {name: value for name, value in ours.items() if name not in made.query}
    try:
        engine = create_engine(made, connect_args=arguments, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise Misconfigured("database.url: the driver is missing: pip install 'wordcam[postgresql]'") from error
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def explain(error: DBAPIError, name: str) -> Locked | Misconfigured | None:
    """Return the error for who can fix it; None where it is a bug."""
    problem = " ".join(str(error.orig).split())
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is None:
        if not error.connection_invalidated and any(words in problem for words in OPERATOR):
            return Misconfigured(f"{name}: {problem}; see database.url and database.password_file")
        return Locked(f"{name}: {problem}") if isinstance(error, OperationalError | InterfaceError) else None
    if state.startswith(MISCONFIGURED):
        return Misconfigured(f"{name}: {problem}; the role of database.url needs to be let in and to own the tables")
    return Locked(f"{name}: {problem}") if state.startswith(TEMPORARY) else None


def _prepare(connection: Any, record: Any) -> None:  # noqa: ARG001 - SQLAlchemy passes it
    from psycopg.types.string import StrDumper  # noqa: PLC0415 - only where this database is used

    class WithoutNul(StrDumper):
        """Replace U+0000, which a hostile message may hold: PostgreSQL stores every other character."""

        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\x00", "\ufffd"))

    connection.adapters.register_dumper(str, WithoutNul)


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("reading", False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return
    # Each statement after this one sees what the writers before us have committed: READ COMMITTED is meant.
    limit = f"set_config('idle_in_transaction_session_timeout', '{IDLE_SECONDS}s', true)"
    connection.exec_driver_sql(f"SELECT {limit}, pg_advisory_xact_lock({WRITERS})")
