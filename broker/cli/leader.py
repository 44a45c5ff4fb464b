"""The verb `wordcam-broker duty`: which of several instances sends the messages."""

import argparse
from collections.abc import Callable
from datetime import datetime

import msgspec

from broker.config import broker as config_file
from broker.service import lease as leases
from broker.service.lease import Lease
from broker.store import migrate
from broker.store.engine import open_database, reading

Add = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


class OnDuty(msgspec.Struct, frozen=True):
    """Who is on duty, as `duty --json` gives it."""

    instance: str
    """Its `mqtt.client_id`; "" where nobody is on duty."""
    place: str
    since: datetime | None
    last_beat: datetime | None
    """By its own clock."""
    token: int


def add_verbs(add: Add) -> None:
    """Add the verb to the command."""
    duty = add("duty", _duty, "say which of several instances sends the messages")
    duty.add_argument("--json", action="store_true", help="as one JSON object")


def _duty(arguments: argparse.Namespace) -> int:
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


def _seen(lease: Lease) -> OnDuty:
    if not lease.holder:
        return OnDuty("", "", None, lease.beat_at, lease.token)
    return OnDuty(lease.holder, lease.place, lease.since, lease.beat_at, lease.token)


def _line(lease: Lease) -> str:
    if not lease.holder or lease.since is None or lease.beat_at is None:
        return "nobody is on duty"
    times = f"since {lease.since:%Y-%m-%d %H:%M:%S}, last sign of life {lease.beat_at:%H:%M:%S} (UTC, by its clock)"
    return f"{lease.holder} is on duty: {lease.place}, {times}, number {lease.token}"
