"""Migrates a database to the tables of this version, and checks its version and that it can be written."""

from enum import StrEnum

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, delete, insert, inspect

from broker.config.errors import Misconfigured
from broker.store.engine import reading, writing
from broker.store.tables import core


class Age(StrEnum):
    """How a database stands to this version of the program."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"


def age(engine: Engine) -> Age:
    """Return how old the tables of a database are."""
    with reading(engine) as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        tables = inspect(connection).get_table_names()
    if revision is None:
        return Age.OLDER if tables else Age.EMPTY
    scripts = ScriptDirectory.from_config(_config())
    if revision == scripts.get_current_head():
        return Age.CURRENT
    known = {script.revision for script in scripts.walk_revisions()}
    return Age.OLDER if revision in known else Age.NEWER


def migrate(engine: Engine) -> str:
    """Bring the tables to this version in one transaction and return its revision.

    Raises `Misconfigured` for a newer one.
    """
    if age(engine) is Age.NEWER:
        raise Misconfigured(_newer(engine))
    with writing(engine) as connection:
        config = _config(connection)
        command.upgrade(config, "head")
        return str(ScriptDirectory.from_config(config).get_current_head())


def require_current(engine: Engine) -> None:
    """Make the tables of a new database.

    Raises `Misconfigured` for an old one, because its owner may want a copy first, and for a newer one.
    """
    match age(engine):
        case Age.EMPTY:
            migrate(engine)
        case Age.OLDER:
            raise Misconfigured(
                f"{engine.url.database}: made by an older version; copy the file, then run `wordcam-broker migrate`"
            )
        case Age.NEWER:
            raise Misconfigured(_newer(engine))
        case Age.CURRENT:
            pass


def check_writable(engine: Engine) -> None:
    """Write a row, delete it and commit; raises `Locked` or `Misconfigured` where that fails.

    A transaction that changes nothing succeeds even on a full disk: SQLite writes changed pages only.
    """
    table = core.contact
    with writing(engine) as connection:
        connection.execute(insert(table), {"name": "", "away_because": ""})
        connection.execute(delete(table).where(table.c.name == ""))


def _newer(engine: Engine) -> str:
    return f"{engine.url.database}: made by a newer version of wordcam; install that version, or name another file"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "broker:store/migrations")
    config.attributes["connection"] = connection
    return config
