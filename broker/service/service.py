"""Puts the alert service together, and runs it until it is told to stop."""

import gc
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, TextIO

import msgspec
from sqlalchemy import Engine

from broker.config.broker import Config, Language, Recipient
from broker.config.errors import Unavailable
from broker.config.sites import Places
from broker.incidents.grouping import Grouper
from broker.incidents.presence import builtin_rules, devices
from broker.incidents.presence.tracker import PresenceTracker
from broker.incidents.scheduler import Scheduler
from broker.ingest.batch import BatchProcessor, IngestCounts
from broker.ingest.consumer import Consumer
from broker.ingest.threshold_publisher import ThresholdPublisher
from broker.monitor.thread_heartbeat import ThreadHeartbeat
from broker.notify import notifications
from broker.notify.dispatcher import Dispatcher
from broker.notify.message import segments
from broker.notify.message import texts as words
from broker.notify.message.composer import Composer
from broker.notify.notifications import Notification
from broker.notify.senders.by_recipient import SendersByRecipient
from broker.ports import Busy, Metrics, NoMetrics, Sender, SendFailed
from broker.retention.pruner import Pruner
from broker.rules import compiler
from broker.rules.compiler import Rulebook
from broker.service import factory, instance_lock
from broker.service.leader import LeaderElection
from broker.store import migrate
from broker.store.engine import open_database, reading
from contract.status import Ledger

log = logging.getLogger(__name__)

STUCK_SECONDS: Final = {"ingest": 60.0, "rounds": 60.0, "notifier": 300.0}
"""A thread that has not turned for so long hangs: a commit takes milliseconds, a message to a slow gateway a minute."""

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
    book = compiler.load(config.rules_file)
    senders = factory.senders(config, out)
    with ExitStack() as held:
        if config.database.path is not None:
            held.enter_context(instance_lock.hold(config.database.path, config.mqtt.client_id))
        engine = open_database(config.database)
        held.callback(engine.dispose)
        migrate.require_current(engine)
        return _run(config, engine, book, senders, on_ready)


class _Worker(Protocol):
    def run(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Works:
    """Everything that works on one database, ready to begin."""

    ingest: Consumer
    processor: BatchProcessor
    beside: Mapping[str, _Worker]
    """Who works in a thread of its own, by name, the last to stop first."""
    heartbeats: Mapping[str, ThreadHeartbeat]


def _build(config: Config, engine: Engine, book: Rulebook, senders: SendersByRecipient, metrics: Metrics) -> _Works:
    heartbeats = {name: ThreadHeartbeat(limit) for name, limit in STUCK_SECONDS.items()}
    known = builtin_rules.beside(book, config.presence)
    duty = LeaderElection(engine, config.mqtt.client_id)
    dispatcher = _notifier(config, engine, known, senders, metrics)
    dispatcher.leadership, dispatcher.beat = duty, heartbeats["notifier"].beat
    places = Places.of(config)
    grouper = Grouper(config.recipients, config.incidents, places)
    scheduler = Scheduler(
        engine, known, grouper, on_alert=dispatcher.wake, leadership=duty, beat=heartbeats["rounds"].beat
    )
    scheduler.prune = Pruner(engine, config.retention).step

    def wake() -> None:
        dispatcher.wake()
        scheduler.wake()

    duty.on_turn = wake
    processor = BatchProcessor(
        engine, book, config.recipients, config.incidents, places, on_alert=wake, metrics=metrics
    )
    ingest = Consumer(config.mqtt, processor.accept, ThresholdPublisher(engine), beat=heartbeats["ingest"].beat)
    ingest.on_failure = ingest.stop
    if config.presence is not None:
        scheduler.roll = PresenceTracker(grouper, config.presence, lambda: _listening_since(ingest))
    # The duty is laid down last: what is due at the end is still sent under it.
    return _Works(ingest, processor, {"duty": duty, "notifier": dispatcher, "rounds": scheduler}, heartbeats)


def _notifier(
    config: Config, engine: Engine, known: Rulebook, senders: SendersByRecipient, metrics: Metrics
) -> Dispatcher:
    translator = factory.translator(config, engine, metrics)
    composer = Composer(Places.of(config), known, translator, factory.by_korean_gateway(config))
    dispatcher = Dispatcher(engine, senders, composer, config.notify, jitter=random.random)
    dispatcher.metrics, dispatcher.longest_call = metrics, factory.longest_call(config)
    return dispatcher


def _listening_since(ingest: Consumer) -> datetime | None:
    """Say since when every device could be heard; None while none can be, or while what they said piles up."""
    return None if ingest.backlog else ingest.subscribed_at


def _run(
    config: Config,
    engine: Engine,
    book: Rulebook,
    senders: SendersByRecipient,
    on_ready: Callable[[Callable[[], None]], None],
) -> Summary:
    started_at = datetime.now(UTC)
    metrics, watch = _monitor(config, senders)
    works = _build(config, engine, book, senders, metrics)
    ingest, crashes = works.ingest, list[BaseException]()
    with watch(works, engine), ExitStack() as working:
        on_ready(ingest.stop)
        # What was built lives until the end: the collector need not walk through a thousand rules again and again.
        gc.collect()
        gc.freeze()
        counts = {"rules": len(book.rules), "recipients": len(config.recipients)}
        log.info("started", extra=counts | {"senders": list(senders.names)})
        for name, worker in works.beside.items():
            working.enter_context(_beside(worker, name, crashes, ingest))
        ingest.run()
    if crashes:
        raise crashes[0]
    if ingest.failure is not None:
        raise ingest.failure
    log.info("stopped", extra={"captions": works.processor.counts.captions})
    return _summarise(engine, works.processor.counts, started_at)


def _monitor(
    config: Config, senders: SendersByRecipient
) -> tuple[Metrics, Callable[[_Works, Engine], AbstractContextManager[object]]]:
    """Give what counts, and what watches over the works for as long as they turn; raises `Misconfigured`."""
    settings = config.monitor
    if settings is None:
        return NoMetrics(), lambda _works, _engine: nullcontext()
    # Importing the HTTP client takes a quarter of a second, and most services have nobody to show figures to.
    from broker.monitor.metrics import PrometheusMetrics  # noqa: PLC0415 - see above
    from broker.monitor.monitor import Monitoring, Watched  # noqa: PLC0415 - see above

    metrics = PrometheusMetrics()
    for channel in senders.names:
        metrics.expect(channel)

    def watch(works: _Works, engine: Engine) -> Monitoring:
        ingest = works.ingest
        watched = Watched(engine, lambda: ingest.subscribed_at is not None, lambda: ingest.backlog, works.heartbeats)
        return Monitoring(config, settings, metrics, watched)

    return metrics, watch


@contextmanager
def _beside(worker: _Worker, name: str, crashes: list[BaseException], ingest: Consumer) -> Iterator[None]:
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


def _summarise(engine: Engine, counts: IngestCounts, started_at: datetime) -> Summary:
    with reading(engine) as connection:
        made = notifications.made_since(connection, started_at)
        states = devices.states(connection)
    by_state: dict[str, int] = {}
    for alert in made:
        by_state[alert.state.value] = by_state.get(alert.state.value, 0) + 1
    return Summary(
        captions=counts.captions,
        duplicates=counts.duplicates,
        statuses=counts.statuses,
        refused=dict(counts.refused),
        alerts=by_state,
        texts=[_sms(alert) for alert in made],
        devices={f"{site}/{device}": ledger for (site, device), (_, ledger) in states.items()},
    )


def _sms(alert: Notification) -> Sms:
    return Sms(alert.recipient, alert.language, alert.rule, alert.state.value, alert.text, segments.parts(alert.text))


def send_test(config: Config, recipient: Recipient, sender: Sender) -> str:
    """Send one test message by any channel and give its text; raises `Unavailable` where it is not taken."""
    language: Language = recipient.language
    at = Places.of(config).local(datetime.now(UTC), "")
    text = segments.plain(words.of(language).test.format(name=recipient.name, time=f"{at:%H:%M}"))
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
