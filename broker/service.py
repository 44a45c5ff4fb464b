"""Puts the alert service together, and runs it until it is told to stop."""

import gc
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, TextIO

import msgspec
from sqlalchemy import Engine

from broker import adapters, claim, rulebook, sms, words
from broker.compose import Composer
from broker.config import Config, Language, Recipient
from broker.desk import Desk
from broker.duty import Duty
from broker.errors import Unavailable
from broker.ingest import Ingest
from broker.notifier import Notifier
from broker.places import Places
from broker.ports import Busy, Sender, SendFailed
from broker.reception import Reception, Tally
from broker.rounds import Rounds
from broker.rulebook import Rulebook
from broker.senders.switchboard import Switchboard
from broker.store import alerts, devices, schema
from broker.store.alerts import Alert
from broker.store.engine import open_database, reading
from contract.status import Ledger

log = logging.getLogger(__name__)

LONGEST_TEST_WAIT: Final = timedelta(seconds=5)
"""Someone stands at the terminal and waits."""


class Sms(msgspec.Struct, frozen=True):
    """One text message of this run."""

    recipient: str
    language: str
    rule: str
    state: str
    text: str
    parts: int


class Summary(msgspec.Struct, frozen=True):
    """What one run did; `run --summary FILE` writes it as JSON."""

    captions: int
    duplicates: int
    statuses: int
    refused: dict[str, int]
    alerts: dict[str, int]
    """Messages made or sent in this run, by state."""
    texts: list[Sms]
    devices: dict[str, Ledger]
    """Words against video, by `site/device`."""


def run(config: Config, *, out: TextIO, on_ready: Callable[[Callable[[], None]], None]) -> Summary:
    """Run until stopped. `on_ready` is given the function that stops it, from any thread or signal handler.

    Raises `Misconfigured` or `Unavailable`.
    """
    book = rulebook.load(config.rules_file)
    senders = adapters.switchboard(config, out)
    with ExitStack() as held:
        if config.database.path is not None:
            held.enter_context(claim.hold(config.database.path, config.mqtt.client_id))
        engine = open_database(config.database)
        held.callback(engine.dispose)
        schema.require_current(engine)
        return _run(config, engine, book, senders, on_ready)


class _Worker(Protocol):
    def run(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Crew:
    """Everything that works on one database, ready to begin."""

    ingest: Ingest
    reception: Reception
    beside: dict[str, _Worker]
    """Who works in a thread of its own, by name, the last to stop first."""


def _crew(config: Config, engine: Engine, book: Rulebook, senders: Switchboard) -> _Crew:
    translator = adapters.translator(config, engine)
    places = Places.of(config)
    composer = Composer(places, book, translator, adapters.by_korean_gateway(config))
    duty = Duty(engine, config.mqtt.client_id)
    notifier = Notifier(
        engine,
        senders,
        composer,
        config.notify,
        jitter=random.random,
        post=duty,
        longest_call=adapters.longest_call(config),
    )
    desk = Desk(config.recipients, config.incidents, places)
    rounds = Rounds(engine, book, desk, on_alert=notifier.wake, post=duty)

    def wake() -> None:
        notifier.wake()
        rounds.wake()

    duty.on_turn = wake
    reception = Reception(engine, book, config.recipients, config.incidents, places, on_alert=wake)
    ingest = Ingest(config.mqtt, reception.accept)
    ingest.on_failure = ingest.stop
    # The duty is laid down last: what is due at the end is still sent under it.
    return _Crew(ingest, reception, {"duty": duty, "notifier": notifier, "rounds": rounds})


def _run(
    config: Config,
    engine: Engine,
    book: Rulebook,
    senders: Switchboard,
    on_ready: Callable[[Callable[[], None]], None],
) -> Summary:
    started_at = datetime.now(UTC)
    crew = _crew(config, engine, book, senders)
    ingest, reception = crew.ingest, crew.reception
    on_ready(ingest.stop)
    # What was built lives until the end: the collector need not walk through a thousand rules again and again.
    gc.collect()
    gc.freeze()
    log.info(
        "started",
        extra={"rules": len(book.rules), "recipients": len(config.recipients), "senders": list(senders.names)},
    )
    crashes: list[BaseException] = []
    with ExitStack() as working:
        for name, worker in crew.beside.items():
            working.enter_context(_beside(worker, name, crashes, ingest))
        ingest.run()
    if crashes:
        raise crashes[0]
    if ingest.failure is not None:
        raise ingest.failure
    log.info("stopped", extra={"captions": reception.tally.captions})
    return _summarise(engine, reception.tally, started_at)


@contextmanager
def _beside(worker: _Worker, name: str, crashes: list[BaseException], ingest: Ingest) -> Iterator[None]:
    """Run a worker in a thread of its own as long as the block runs, and wait for its end."""
    thread = threading.Thread(target=_supervise, args=(worker.run, crashes, ingest.stop), name=name)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


def _supervise(work: Callable[[], None], crashes: list[BaseException], stop: Callable[[], None]) -> None:
    """Run a thread whose death must end the whole service, so that whatever supervises it starts it again."""
    try:
        work()
    except Exception as error:
        log.exception("a thread died; stopping", extra={"which": threading.current_thread().name})
        crashes.append(error)
        stop()


def _summarise(engine: Engine, tally: Tally, started_at: datetime) -> Summary:
    with reading(engine) as connection:
        made = alerts.made_since(connection, started_at)
        states = devices.states(connection)
    counts: dict[str, int] = {}
    for alert in made:
        counts[alert.state.value] = counts.get(alert.state.value, 0) + 1
    return Summary(
        captions=tally.captions,
        duplicates=tally.duplicates,
        statuses=tally.statuses,
        refused=dict(tally.refused),
        alerts=counts,
        texts=[_sms(alert) for alert in made],
        devices={f"{site}/{device}": ledger for (site, device), (_, ledger) in states.items()},
    )


def _sms(alert: Alert) -> Sms:
    return Sms(alert.recipient, alert.language, alert.rule, alert.state.value, alert.text, sms.parts(alert.text))


def send_test(config: Config, recipient: Recipient, sender: Sender) -> str:
    """Send one test message by any channel and give its text; raises `Unavailable` where it is not taken."""
    language: Language = recipient.language
    at = Places.of(config).local(datetime.now(UTC), "")
    text = sms.plain(words.of(language).test.format(name=recipient.name, time=f"{at:%H:%M}"))
    try:
        _send_when_free(sender, recipient.e164 or recipient.name, text)
    except SendFailed as error:
        raise Unavailable(f"{recipient.name}: {sender.name} did not take the message: {error}") from error
    return text


def _send_when_free(sender: Sender, to: str, text: str) -> None:
    """Send, waiting once where the channel asks for a little patience; raises `SendFailed`."""
    try:
        sender.send(to, text)
    except Busy as error:
        if error.retry_after > LONGEST_TEST_WAIT:
            raise
        time.sleep(error.retry_after.total_seconds())
        sender.send(to, text)
