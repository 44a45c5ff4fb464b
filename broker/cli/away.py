"""The verb `wordcam-broker away`: lists who is away, and sets someone away or back."""

import argparse
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from broker.config import absence
from broker.config import broker as config_file
from broker.config.broker import Config, Recipient
from broker.config.errors import Misconfigured
from broker.incidents.absences import Absences
from broker.notify import absences, contacts
from broker.notify.opt_out import OptOut
from broker.store import migrate
from broker.store.engine import open_database, reading, writing
from foundation import yaml_file


def run(arguments: argparse.Namespace) -> int:
    """List who is away, or set someone away or back."""
    config = config_file.load(arguments.config)
    now = datetime.now(UTC)
    person = _person(config, arguments.name) if arguments.name else None
    if person is not None and not arguments.back and not arguments.until:
        raise Misconfigured(f"away {person.name}: until when? Give --until, or --back")
    engine = open_database(config.database)
    try:
        migrate.require_current(engine)
        if person is None:
            _list(config, engine, now)
        else:
            _set(config, engine, person, arguments, now)
    finally:
        engine.dispose()
    return 0


def _person(config: Config, name: str) -> Recipient:
    """Return a recipient by name; raises `Misconfigured`."""
    names = [one.name for one in config.recipients]
    if name not in names:
        raise Misconfigured(f"away: no recipient is called {name!r}; {yaml_file.nearest(name, names)}")
    return config.recipients[names.index(name)]


def _zone(config: Config, person: Recipient) -> ZoneInfo:
    return ZoneInfo(person.timezone or config.timezone)


def _set(config: Config, engine: Engine, person: Recipient, arguments: argparse.Namespace, now: datetime) -> None:
    acts = Absences(OptOut(config.recipients, config.incidents.escalation))
    if arguments.back:
        with writing(engine) as connection:
            was_away = acts.end(connection, person, at=now)
        print(f"{person.name}: {'is back' if was_away else 'was not set away'}")
        return
    ends_at = _end(config, person, arguments.until, now)
    with writing(engine) as connection:
        acts.set(connection, person, ends_at=ends_at, because=arguments.because, at=now)
    print(f"{person.name}: away until {ends_at.astimezone(_zone(config, person)):%Y-%m-%d %H:%M}")


def _end(config: Config, person: Recipient, text: str, now: datetime) -> datetime:
    """Read `--until` by the recipient's clock; raises `Misconfigured`."""
    try:
        ends_at = absence.end(text).replace(tzinfo=_zone(config, person))
    except ValueError as error:
        raise Misconfigured(f"away: --until {error}") from error
    if ends_at <= now:
        raise Misconfigured(f"away: --until {text!r} is over already")
    return ends_at


def _list(config: Config, engine: Engine, now: datetime) -> None:
    with reading(engine) as connection:
        known = contacts.all_known(connection)
    lines = []
    for person in config.recipients:
        zone, contact = _zone(config, person), known.get(person.name)
        ends_at = absences.until(person, contact, now.astimezone(zone))
        if ends_at is not None:
            because = f": {contact.away_because}" if contact and contact.away_because else ""
            lines.append(f"{person.name}  away until {ends_at.astimezone(zone):%Y-%m-%d %H:%M}{because}")
    print("\n".join(lines) or "nobody is away")
