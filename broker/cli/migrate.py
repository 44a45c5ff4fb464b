"""The verb `wordcam-broker migrate`: brings the database to the tables of this version."""

import argparse

from broker.config import broker as config_file
from broker.store import migrate, vacuum
from broker.store.engine import open_database


def run(arguments: argparse.Namespace) -> int:
    """Migrate the database, and let it be compacted; raises `Misconfigured` or `Unavailable`."""
    config = config_file.load(arguments.config)
    engine = open_database(config.database)
    try:
        revision = migrate.migrate(engine)
        vacuum.prepare(engine)
    finally:
        engine.dispose()
    print(f"{config.database.name}: at version {revision}")
    return 0
