"""The verb `wordcam-broker leader`: which of several instances sends the notifications."""

import argparse
from datetime import datetime

import msgspec

from broker.config import broker as config_file
from broker.service import lease as leases
from broker.service.lease import Lease
from broker.store import migrate
from broker.store.engine import open_database, reading


class Leader(msgspec.Struct, frozen=True):
    """Which instance leads, as `leader --json` prints it."""

    instance: str
    """Its `mqtt.client_id`; "" where no instance leads."""
    place: str
    since: datetime | None
    last_beat: datetime | None
    """By its own clock."""
    token: int


def run(arguments: argparse.Namespace) -> int:
    """Print which instance leads; raises `Misconfigured` or `Unavailable`."""
    config = config_file.load(arguments.config)
    engine = open_database(config.database)
    try:
        migrate.require_current(engine)
        with reading(engine) as connection:
            lease = leases.read(connection)
    finally:
        engine.dispose()
    print(msgspec.json.encode(_seen(lease)).decode() if arguments.json else _line(lease))
    return 0


def _seen(lease: Lease) -> Leader:
    if not lease.holder:
        return Leader("", "", None, lease.beat_at, lease.token)
    return Leader(lease.holder, lease.place, lease.since, lease.beat_at, lease.token)


def _line(lease: Lease) -> str:
    if not lease.holder or lease.since is None or lease.beat_at is None:
        return "no instance leads"
    times = f"since {lease.since:%Y-%m-%d %H:%M:%S}, last renewal {lease.beat_at:%H:%M:%S} (UTC, by its clock)"
    return f"{lease.holder} leads: {lease.place}, {times}, term {lease.token}"
