"""The verbs `wordcam-broker incidents` and `silence`: list and answer incidents, and add or end silences."""

import argparse
import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from broker.config import broker as config_file
from broker.config.errors import Misconfigured
from broker.config.sites import Places
from broker.incidents import responses, silence, store
from broker.incidents.incident import Event, Incident
from broker.incidents.responses import Answered, Effect
from broker.incidents.silence import Silence
from broker.notify import notifications
from broker.notify.message import reason_texts
from broker.notify.notifications import Notification
from broker.store import migrate
from broker.store.engine import open_database, reading, writing

ANSWERS: Final = {
    "acknowledge": responses.acknowledge,
    "resolve": responses.resolve,
    "false-alarm": responses.false_alarm,
}

LONGEST_SILENCE: Final = timedelta(days=30)
"""What is to be quiet for longer belongs into the rules, where everyone sees it."""


def run(arguments: argparse.Namespace) -> int:
    """List, show or answer incidents, or keep silences."""
    return _silence(arguments) if arguments.verb_name == "silence" else _incidents(arguments)


@contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[tuple[Engine, Places]]:
    """Open the database that a verb's `--config` names; raises `Misconfigured` or `Unavailable`."""
    config = config_file.load(arguments.config)
    engine = open_database(config.database)
    try:
        migrate.require_current(engine)
        yield engine, Places.of(config)
    finally:
        engine.dispose()


def _incidents(arguments: argparse.Namespace) -> int:
    if arguments.do != "list" and arguments.number is None:
        raise Misconfigured(f"incidents {arguments.do}: which? Give its number, as in `incidents {arguments.do} 12`")
    with opened(arguments) as (engine, places):
        if arguments.do == "list":
            _list(engine, places, everything=arguments.all)
        elif arguments.do == "show":
            _show(engine, places, arguments.number)
        else:
            _answer(engine, arguments)
    return 0


def _list(engine: Engine, places: Places, *, everything: bool) -> None:
    with reading(engine) as connection:
        found = store.newest(connection) if everything else store.now_open(connection)
    for incident in found:
        print(_line(incident, places))
    if not found:
        print("no incidents" if everything else "no open incidents; `--all` lists those that are over")


def _show(engine: Engine, places: Places, number: int) -> None:
    with reading(engine) as connection:
        incident = store.get(connection, number)
        if incident is None:
            raise Misconfigured(f"incidents show {number}: there is no such incident")
        events = store.timeline(connection, number)
        sent = notifications.of_incident(connection, number)
    print(_line(incident, places))
    for event in events:
        print(_event(event, places, incident.site))
    for notification in sent:
        print(_message(notification, places, incident.site))


def _line(incident: Incident, places: Places) -> str:
    opened = places.local(incident.opened_at, incident.site)
    by = incident.closed_by or incident.acknowledged_by
    state = _said("state", incident.state) + (f" by {by}" if by else "")
    what = _lost(incident, places) or f" ({', '.join(incident.cameras)}), seen {incident.sightings} times"
    return (
        f"{incident.id}  {opened:%Y-%m-%d %H:%M:%S}  {incident.severity} {incident.danger} at {incident.site}"
        f"{what}, {state}"
    )


def _lost(incident: Incident, places: Places) -> str:
    """Name the lost devices, each with the time of its last message."""
    since = ((one, places.local(one.since, incident.site)) for one in incident.lost)
    named = ", ".join(f"{one.device}: {_said('cause', one.cause)} since {at:%Y-%m-%d %H:%M:%S}" for one, at in since)
    return f" ({named})" if named else ""


def _said(field: str, value: str) -> str:
    return reason_texts.word(field, value, "en")


def _event(event: Event, places: Places, site: str) -> str:
    who = f" {event.by}:" if event.by else ""
    happened = _said("happened", event.kind)
    return f"  {places.local(event.at, site):%H:%M:%S}  {happened}{who} {reason_texts.say(event.detail, 'en')}"


def _message(sent: Notification, places: Places, site: str) -> str:
    when = places.local(sent.sent_at or sent.created_at, site)
    what = sent.text or reason_texts.say(sent.reasons, "en")
    error = f" ({sent.error})" if sent.error else ""
    kind, state = _said("kind", sent.kind), _said("sending", sent.state)
    return f"  {when:%H:%M:%S}  message {sent.id} to {sent.recipient}: {kind}, {state}{error}: {what}"


def _answer(engine: Engine, arguments: argparse.Namespace) -> None:
    answer = ANSWERS[arguments.do]
    by = arguments.by or getpass.getuser()
    with writing(engine) as connection:
        answered = answer(connection, arguments.number, by=by, how="terminal", at=datetime.now(UTC))
    print(_effect(answered, arguments.number))


def _effect(answered: Answered, number: int) -> str:
    incident = answered.incident
    if answered.effect is Effect.UNKNOWN or incident is None:
        raise Misconfigured(f"there is no incident {number}")
    if answered.effect is Effect.ALREADY:
        return f"{number}: {incident.acknowledged_by} has acknowledged it before"
    if answered.effect is Effect.OVER:
        return f"{number}: it is over already: {_said('state', incident.state)}"
    return f"{number}: {_said('state', incident.state)} by {incident.closed_by or incident.acknowledged_by}"


def _silence(arguments: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    with opened(arguments) as (engine, places):
        if arguments.do == "list":
            _list_silences(engine, places, now)
        elif arguments.do == "add":
            made = _made(arguments, now)
            with writing(engine) as connection:
                made = silence.add(connection, made, at=now)
            print(_silence_line(made, places, now))
        else:
            _end_silences(engine, arguments, now)
    return 0


def _list_silences(engine: Engine, places: Places, now: datetime) -> None:
    with reading(engine) as connection:
        found = silence.newest(connection)
    for one in found:
        print(_silence_line(one, places, now))
    if not found:
        print("no silences")


def _made(arguments: argparse.Namespace, now: datetime) -> Silence:
    if not 0 < arguments.minutes <= LONGEST_SILENCE.total_seconds() / 60:
        raise Misconfigured(
            f"silence add: --minutes {arguments.minutes:g}: more than 0, {LONGEST_SILENCE.days} days at most"
        )
    ends_at = now + timedelta(minutes=arguments.minutes)
    try:
        matchers = silence.read_matchers(arguments.what)
        return Silence(arguments.by or getpass.getuser(), arguments.reason, matchers, now, ends_at)
    except ValueError as error:
        raise Misconfigured(f"silence add: {error}") from error


def _end_silences(engine: Engine, arguments: argparse.Namespace, now: datetime) -> None:
    for word in arguments.what:
        if not word.isdecimal():
            raise Misconfigured(f"silence end: {word!r} is no number; `silence list` shows them")
        with writing(engine) as connection:
            ended = silence.end(connection, int(word), by=arguments.by or getpass.getuser(), at=now)
        print(f"{word}: {'ended' if ended else 'there is no such silence in force'}")


def _silence_line(one: Silence, places: Places, now: datetime) -> str:
    ends = one.ends_at.astimezone(places.clock)
    state = "in force" if one.holds_at(now) else f"ended by {one.ended_by}" if one.ended_by else "over"
    return f"{one.id}  {one.as_text}  until {ends:%Y-%m-%d %H:%M}, {state}, by {one.author}: {one.reason}"
