"""The verb `wordcam-broker dead-letters`: notifications that were given up."""

import argparse
import getpass
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Engine

from broker.config import broker as config_file
from broker.config.errors import Misconfigured
from broker.notify import dead_letters as store
from broker.notify.message import segments
from broker.store import migrate
from broker.store.engine import open_database, reading, writing


class DeadLetter(msgspec.Struct, frozen=True):
    """One notification that was given up."""

    number: int
    made_at: datetime
    recipient: str
    site: str
    rule: str
    text: str
    error: str

    @property
    def line(self) -> str:
        """One line for a terminal, without control characters."""
        parts = (f"{self.number}", f"{self.made_at:%Y-%m-%d %H:%M} UTC", self.recipient, f"{self.site}/{self.rule}")
        return segments.plain("  ".join((*parts, self.error, self.text.replace("\n", " "))))


def run(arguments: argparse.Namespace) -> int:
    """List the notifications that were given up, or queue them again; raises `Misconfigured` or `Unavailable`."""
    config = config_file.load(arguments.config)
    engine = open_database(config.database)
    try:
        migrate.require_current(engine)
        if arguments.do == "list":
            for one in dead(engine):
                print(msgspec.json.encode(one).decode() if arguments.json else one.line)
            return 0
        if not arguments.numbers and not arguments.all:
            raise Misconfigured("dead-letters resend: which? Name numbers from `dead-letters list`, or --all")
        for number, taken in resend(engine, None if arguments.all else arguments.numbers):
            print(f"{number}: {'waits to be sent again' if taken else 'was not given up'}")
        return 0
    finally:
        engine.dispose()


def dead(engine: Engine) -> list[DeadLetter]:
    """Return the notifications that were given up, the newest first; raises `Locked`."""
    with reading(engine) as connection:
        alerts = store.listed(connection)
    return [
        DeadLetter(one.id, one.created_at, one.recipient, one.site, one.rule, one.text or one.sentence, one.error)
        for one in alerts
    ]


def resend(engine: Engine, numbers: Sequence[int] | None) -> list[tuple[int, bool]]:
    """Queue dead letters again, all of them where no numbers are given; returns for each whether it was one.

    A running service sends them within half a minute. Raises `Locked`.
    """
    now = datetime.now(UTC)
    by = getpass.getuser()
    with writing(engine) as connection:
        chosen = [one.id for one in store.listed(connection)] if numbers is None else list(dict.fromkeys(numbers))
        return [(number, store.take_up(connection, number, by=by, at=now)) for number in chosen]
