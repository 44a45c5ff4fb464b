"""Builds the alert service and runs it until it is stopped."""

import gc
import logging
import math
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TextIO

import msgspec
from sqlalchemy import Engine

from broker.config.broker import MQTT_PASSWORD, Config
from broker.config.incidents import PresenceSettings
from broker.config.monitor import Monitor
from broker.config.sites import Places
from broker.incidents.grouping import Grouper
from broker.incidents.presence import builtin_rules, devices
from broker.incidents.presence.tracker import PresenceTracker
from broker.incidents.scheduler import Scheduler
from broker.ingest.batch import BatchProcessor, IngestCounts
from broker.ingest.consumer import Consumer
from broker.ingest.offer_publisher import OfferPublisher
from broker.ingest.threshold_publisher import ThresholdPublisher
from broker.monitor.health import Watched, health_of
from broker.monitor.thread_heartbeat import ThreadHeartbeat
from broker.notify import notifications
from broker.notify.dispatcher import Dispatcher
from broker.notify.links import Signer
from broker.notify.message import segments
from broker.notify.message.composer import Composer
from broker.notify.notifications import Notification
from broker.notify.senders.by_recipient import SendersByRecipient
from broker.ports import Metrics, NoMetrics
from broker.retention.pruner import Pruner
from broker.rules import compiler
from broker.rules.compiler import Rulebook
from broker.service import factory, instance_lock
from broker.service.leader import LeaderElection
from broker.service.worker import Task, Worker, running
from broker.store import migrate
from broker.store.engine import open_database, reading
from contract.status import Ledger
from foundation import secret

log = logging.getLogger(__name__)

CONSUMER, DISPATCHER, SCHEDULER, LEADER = "consumer", "dispatcher", "scheduler", "leader"
"""The workers, as health checks and logs name them."""

STUCK_SECONDS: Final = {CONSUMER: 60.0, DISPATCHER: 300.0, SCHEDULER: 60.0, LEADER: 60.0}
"""A worker whose step lasts longer hangs: a commit takes milliseconds, a message to a slow gateway a minute."""


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
    """Run until stopped. `on_ready` gets the function that stops it, from any thread or signal handler.

    Raises `Misconfigured` or `Unavailable`.
    """
    book = compiler.load(config.rules_file)
    senders = factory.senders(config, out)
    with ExitStack() as resources:
        if config.database.path is not None:
            resources.enter_context(instance_lock.hold(config.database.path, config.mqtt.client_id))
        engine = open_database(config.database)
        resources.callback(engine.dispose)
        migrate.require_current(engine)
        return _run(_Given(config, engine, book, senders), on_ready)


@dataclass(frozen=True, slots=True)
class _Given:
    """What a service is built from."""

    config: Config
    engine: Engine
    book: Rulebook
    senders: SendersByRecipient


@dataclass(frozen=True, slots=True)
class _Service:
    """Everything that works on one database, ready to run."""

    consumer: Worker
    """Runs in the main thread."""
    beside: Sequence[Worker]
    """Each runs in a thread of its own; the first is stopped last."""
    counts: IngestCounts
    watched: Watched


def _renewal(config: Config) -> Callable[[datetime], None]:
    """Return what renews the signatures of the models, where there are any."""
    if config.models is None:
        return lambda _now: None
    # The library of the signatures takes a while and memory, which a server without models does not need.
    from broker.ingest.rollout.renewal import Renewal  # noqa: PLC0415 - see above

    return Renewal(config.models.folder).step


def _dispatcher(
    given: _Given, rulebook: Rulebook, places: Places, leadership: LeaderElection, metrics: Metrics
) -> Dispatcher:
    """Build what composes and sends notifications; raises `Misconfigured`."""
    config, engine = given.config, given.engine
    signer = Signer.of(config.links) if config.links else None
    translator = factory.translator(config, engine, metrics)
    return Dispatcher(
        engine,
        given.senders,
        Composer(places, rulebook, translator, factory.by_korean_gateway(config), signer),
        config.notify,
        jitter=random.random,
        leadership=leadership,
        longest_call=factory.longest_call(config),
        metrics=metrics,
        signer=signer,
    )


def _build(given: _Given, metrics: Metrics) -> _Service:
    """Build the graph of objects; raises `Misconfigured`."""
    config, engine = given.config, given.engine
    heartbeats = {name: ThreadHeartbeat(limit) for name, limit in STUCK_SECONDS.items()}
    wakes = {name: threading.Event() for name in STUCK_SECONDS}

    def wake() -> None:
        for name in (DISPATCHER, SCHEDULER):
            wakes[name].set()

    def worker(name: str, task: Task) -> Worker:
        return Worker(name, task, heartbeats[name], wakes[name])

    rulebook = builtin_rules.beside(given.book, config.presence)
    places = Places.of(config)
    grouper = Grouper(config.recipients, config.incidents, places)
    leadership = LeaderElection(engine, config.mqtt.client_id, on_elected=wake)
    processor = BatchProcessor(engine, given.book, grouper, on_notification=wake, metrics=metrics)
    password = secret.read(config.mqtt.password_file, MQTT_PASSWORD, field="mqtt.password_file")
    offers = OfferPublisher(engine, _renewal(config))
    consumer = Consumer(config.mqtt, password, processor.process, ThresholdPublisher(engine), offers)
    dispatcher = _dispatcher(given, rulebook, places, leadership, metrics)
    presence = config.presence
    scheduler = Scheduler(
        engine,
        rulebook,
        grouper,
        tracker=None if presence is None else PresenceTracker(grouper, presence, lambda: consumer.listening_since),
        prune=Pruner(engine, config.retention).step,
        on_notification=wakes[DISPATCHER].set,
        leadership=leadership,
    )
    # The lease is released last: what is due at the end is still sent in this term.
    beside = [worker(LEADER, leadership), worker(DISPATCHER, dispatcher), worker(SCHEDULER, scheduler)]
    watched = Watched(
        engine,
        connected=lambda: consumer.subscribed_at is not None,
        refusal=lambda: consumer.refusal,
        backlog=lambda: consumer.backlog,
        heartbeats=heartbeats,
    )
    return _Service(worker(CONSUMER, consumer), beside, processor.counts, watched)


def _run(given: _Given, on_ready: Callable[[Callable[[], None]], None]) -> Summary:
    started_at = datetime.now(UTC)
    crashes: list[BaseException] = []
    with ExitStack() as working:
        settings = given.config.monitor
        service = _build(given, NoMetrics()) if settings is None else _watched(given, settings, working)
        on_ready(service.consumer.stop)
        # What was built lives until the end: the collector need not walk through a thousand rules again and again.
        gc.collect()
        gc.freeze()
        counts = {"rules": len(given.book.rules), "recipients": len(given.config.recipients)}
        log.info("started", extra=counts | {"senders": list(given.senders.names)})

        def crashed(error: BaseException) -> None:
            crashes.append(error)
            service.consumer.stop()

        for worker in service.beside:
            working.enter_context(running(worker, on_crash=crashed))
        service.consumer.run()
    if crashes:
        raise crashes[0]
    log.info("stopped", extra={"captions": service.counts.captions})
    return _summarise(given.engine, service.counts, started_at)


def _watched(given: _Given, settings: Monitor, working: ExitStack) -> _Service:
    """Build a service with metrics, and watch it until `working` ends; raises `Misconfigured` or `Unavailable`."""
    # Importing the HTTP client takes a quarter of a second, and most services have no monitor.
    from broker.monitor import monitor  # noqa: PLC0415 - see above
    from broker.monitor.metrics import PrometheusMetrics  # noqa: PLC0415 - see above

    metrics = PrometheusMetrics()
    for channel in given.senders.names:
        metrics.expect(channel)
    service = _build(given, metrics)
    health = health_of(service.watched)
    pinger = None if settings.ping is None else monitor.pinger(settings.ping, metrics, health)
    presence = given.config.presence or PresenceSettings()
    working.enter_context(monitor.listening(settings, presence, metrics, service.watched, health))
    if pinger is not None:
        ping = Worker("ping", pinger, ThreadHeartbeat(math.inf), threading.Event())
        # An address that never answers must not hold up the end.
        working.enter_context(running(ping, on_crash=lambda _: None, wait=False))
    return service


def _summarise(engine: Engine, counts: IngestCounts, started_at: datetime) -> Summary:
    with reading(engine) as connection:
        made = notifications.made_since(connection, started_at)
        states = devices.states(connection)
    by_state: dict[str, int] = {}
    for notification in made:
        by_state[notification.state.value] = by_state.get(notification.state.value, 0) + 1
    return Summary(
        captions=counts.captions,
        duplicates=counts.duplicates,
        statuses=counts.statuses,
        refused=dict(counts.refused),
        alerts=by_state,
        texts=[_sms(notification) for notification in made],
        devices={f"{site}/{device}": ledger for (site, device), (_, ledger) in states.items()},
    )


def _sms(sent: Notification) -> Sms:
    parts = segments.parts(sent.text)
    return Sms(sent.recipient, sent.language, sent.rule, sent.state.value, sent.text, parts)
