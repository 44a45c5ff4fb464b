"""Runs a night through the parts of the alert service by a clock that is moved: no sighting waits for real time.

Everything is the service's own: what ingests, groups, escalates, watches presence, composes and sends, on an SQLite
file, with the rules of `config/rules.yaml`. The gateway is a server on loopback that speaks Twilio's API.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from twilio.request_validator import RequestValidator

from bench.service.night import scenario
from bench.service.night.full_disk import FullDisk
from bench.service.night.happenings import (
    STREAM,
    Answered,
    Camera,
    Disk,
    Followed,
    Gateway,
    Happening,
    Offline,
    Online,
    Said,
    Script,
    Silent,
)
from broker.config.broker import Config, Recipient
from broker.config.errors import Locked
from broker.config.sites import Places
from broker.incidents import ack_links, store
from broker.incidents.grouping import Grouper
from broker.incidents.incident import Incident
from broker.incidents.presence import builtin_rules
from broker.incidents.presence.tracker import PresenceTracker
from broker.incidents.scheduler import Scheduler
from broker.ingest.batch import BatchProcessor
from broker.ingest.decoder import Message
from broker.ingest.listening import Listening
from broker.monitor import health
from broker.notify import deferred, notifications
from broker.notify.dispatcher import Dispatcher
from broker.notify.links import Refused, Signer
from broker.notify.message.composer import Composer
from broker.notify.senders.by_recipient import SendersByRecipient
from broker.notify.senders.rate_limited import RateLimited
from broker.notify.senders.twilio import TwilioSender
from broker.notify.translation.offline import OfflineTranslator
from broker.ports import NoMetrics, Term
from broker.rules import compiler
from broker.service import factory
from broker.store import migrate
from broker.store.engine import open_database, reading, writing
from broker.web.webhooks.twilio import TwilioHooks
from contract import caption, topics
from contract.caption import Caption, Hazard
from contract.status import Ledger, State, Status
from contract.status import encode as encode_status
from testing.fake_http import Behaviour, Treatment
from testing.fake_twilio import TOKEN, FakeTwilio, TextMessage

LONGEST_STEP: Final = timedelta(seconds=15)
"""The clock never moves further at once."""

HEARTBEAT: Final = timedelta(seconds=60)

INBOUND: Final = "https://cam.example/twilio/inbound"

BATCH: Final = 1000

MOST_STEPS: Final = 10_000
"""Steps of one worker at one moment; more would mean that it never comes to rest."""


@dataclass
class Clock:
    """A clock that the replay moves."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        """Return the time as a number that grows."""
        return self.now.timestamp()


class SoleInstance:
    """The leadership of the only instance there is."""

    term = Term(0)

    def require(self, connection: object, term: Term) -> None:
        """Do nothing: there is no other instance."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened in the night beside the texts of the service."""

    at: datetime
    what: str
    person: str = ""
    """Who wrote it; "" where nobody did."""
    answer: str = ""
    """What the service answered."""


@dataclass
class _Device:
    """One device: what it has not published yet, and how it is."""

    since: datetime
    seq: int = 0
    is_offline: bool = False
    is_silent: bool = False
    outbox: list[Message] = field(default_factory=list)


@dataclass
class Night:
    """Everything of one night, on one clock."""

    config: Config
    engine: Engine
    clock: Clock
    gateway: FakeTwilio
    disk: FullDisk
    processor: BatchProcessor
    scheduler: Scheduler
    dispatcher: Dispatcher
    hooks: TwilioHooks
    signer: Signer
    listening: Listening
    chance: Callable[[], float]
    inbox: deque[Message] = field(default_factory=deque)
    """What the MQTT server keeps for the service."""
    devices: dict[Camera, _Device] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    published: list[Caption] = field(default_factory=list)
    """Every caption that a device wrote, in that order."""
    unheard: list[Answered | Followed] = field(default_factory=list)
    """What people answered while nothing could be written: they, or Twilio for them, try again."""
    replies: int = 0
    ready: str = ""
    """What the readiness probe said last."""

    def run(self, script: Script) -> None:
        """Let everything happen, and then time pass until nothing is due."""
        begin = self.clock.now
        self.devices = {camera: _Device(begin) for camera in script.cameras}
        self.listening.subscribe(begin - timedelta(hours=1))
        self._probe()
        waiting = deque(script.happenings)
        next_heartbeat = begin
        while self.clock.now < begin + script.length or self._next_due() is not None:
            while waiting and begin + waiting[0].after <= self.clock.now:
                self._let(waiting.popleft())
            if self.clock.now >= next_heartbeat:
                self._heartbeats()
                unheard, self.unheard = self.unheard, []
                for answer in unheard:
                    self._hear(answer)
                next_heartbeat += HEARTBEAT
            self._settle()
            upcoming = [begin + waiting[0].after] if waiting else []
            self._move([*upcoming, next_heartbeat])
            if self.clock.now > begin + 1.1 * script.length:
                return

    def _move(self, moments: list[datetime]) -> None:
        due = self._next_due()
        moments = [*moments, *([due] if due is not None else [])]
        soonest = min([moment for moment in moments if moment > self.clock.now], default=self.clock.now + LONGEST_STEP)
        self.clock.now = min(soonest, self.clock.now + LONGEST_STEP)

    def _next_due(self) -> datetime | None:
        with reading(self.engine) as connection:
            moments = (
                notifications.next_due_at(connection),
                store.next_due_at(connection),
                deferred.next_due_at(connection),
            )
        return min((moment for moment in moments if moment is not None), default=None)

    def _settle(self) -> None:
        """Let every worker work until it has nothing to do at this moment; the one that watches presence goes first."""
        for step in (self.scheduler.step, self._take_in, self.scheduler.step, self.dispatcher.step):
            for _ in range(MOST_STEPS):
                try:
                    if not step():
                        break
                except Locked:
                    break
            else:
                raise RuntimeError("a worker never comes to rest")

    def _take_in(self) -> bool:
        """Store a batch of what has arrived, as the consumer does; raises `Locked`, and it stays with the server."""
        batch = [self.inbox[place] for place in range(min(BATCH, len(self.inbox)))]
        if not batch:
            return False
        try:
            self.processor.process(batch)
        except Locked:
            self.listening.stall()
            raise
        self.listening.store(self.clock.now)
        for _ in batch:
            self.inbox.popleft()
        return True

    def _probe(self) -> None:
        """Ask what `/readyz` says of the database, and note where it changes."""
        checks = health.database(self.engine)
        said = "ready" if all(check.ok for check in checks) else f"not ready: {checks[0].because}"
        if said != self.ready:
            self.entries.append(Entry(self.clock.now, f"`/readyz`: {said}"))
        self.ready = said

    def _let(self, happening: Happening) -> None:
        """Let one thing happen."""
        match happening.what:
            case Said() as said:
                self._say(said)
            case Offline(camera) | Online(camera) | Silent(camera) as change:
                self._change(camera, change)
            case Disk(full):
                self.disk.is_full = full
                self.entries.append(Entry(self.clock.now, "the disk is full" if full else "the disk has room again"))
                self._probe()
            case Gateway(failing):
                self.gateway.treat = (lambda: Treatment(self._failure())) if failing else Treatment
                self.entries.append(
                    Entry(self.clock.now, "the gateway fails" if failing else "the gateway works again")
                )
            case (Answered() | Followed()) as answer:
                self._hear(answer)

    def _hear(self, answer: Answered | Followed) -> None:
        """Take an answer, or keep it for the next heartbeat where nothing can be written."""
        try:
            if isinstance(answer, Answered):
                self._answer(answer)
            else:
                self._follow(answer)
        except Locked:
            self.unheard.append(answer)

    def _failure(self) -> Behaviour:
        """Choose how the gateway fails: sometimes it has taken the message."""
        return Behaviour.ACCEPTED_SERVER_ERROR if self.chance() < 0.3 else Behaviour.SERVER_ERROR

    def _say(self, said: Said) -> None:
        site, name = said.camera
        device = self.devices[said.camera]
        if device.is_silent:
            return
        event = Caption(
            text=said.text,
            captured_at=self.clock.now,
            site=site,
            device=name,
            stream=STREAM,
            confidence=0.8,
            hazards=tuple(Hazard(term, probability) for term, probability in said.hazards.items()),
            model="wordcam-1@2.4.1",
            seq=device.seq,
            id=f"{site}-{name}-{device.seq:06d}",
            source=caption.source(site, name, STREAM),
            time=self.clock.now,
        )
        device.seq += 1
        self.published.append(event)
        message = Message(topics.topic(site, name, "caption"), caption.encode(event))
        (device.outbox if device.is_offline else self.inbox).append(message)

    def _change(self, camera: Camera, change: Offline | Online | Silent) -> None:
        device, name = self.devices[camera], "/".join(camera)
        if isinstance(change, Silent):
            device.is_silent = True
            self.entries.append(Entry(self.clock.now, f"{name} falls silent"))
            return
        device.is_offline = isinstance(change, Offline)
        if device.is_offline:
            self.entries.append(Entry(self.clock.now, f"{name} loses its network"))
            self._state(camera, State.OFFLINE)
            return
        waited = len(device.outbox)
        self.entries.append(Entry(self.clock.now, f"{name} is there again, with {waited} captions in its outbox"))
        device.is_silent, device.since = False, self.clock.now
        self._state(camera, State.ONLINE)
        self.inbox.extend(device.outbox)
        device.outbox.clear()

    def _heartbeats(self) -> None:
        for camera, device in self.devices.items():
            if not device.is_offline and not device.is_silent:
                self._state(camera, State.ONLINE)

    def _state(self, camera: Camera, state: State) -> None:
        site, name = camera
        device = self.devices[camera]
        frames = round((self.clock.now - device.since).total_seconds()) + 1
        said = Status(
            state=state,
            site=site,
            device=name,
            since=device.since,
            at=self.clock.now if state is State.ONLINE else None,
            reason="" if state is State.ONLINE else "connection lost",
            ledger=Ledger(frames=frames) if state is State.ONLINE else None,
        )
        self.inbox.append(Message(topics.topic(site, name, "status"), encode_status(said)))

    def _answer(self, answered: Answered) -> None:
        """Hand an answer to the web hook, signed as Twilio signs it."""
        found = self._incident(answered.site, answered.danger) if answered.site else None
        text = answered.text.format(number=found.id if found else "")
        form = {
            "MessageSid": f"SM{self.replies:032x}",
            "From": self._person(answered.person).e164,
            "Body": text,
        }
        self.replies += 1
        signature = RequestValidator(TOKEN).compute_signature(INBOUND, form)
        outcome = self.hooks.inbound(form, signature, [INBOUND])
        back = re.search("<Message>(.*)</Message>", outcome.body)
        self.entries.append(Entry(self.clock.now, text, answered.person, back[1] if back else ""))

    def _follow(self, followed: Followed) -> None:
        """Open the link of the last text about an incident, as its reader does."""
        incident = self._incident(followed.site, followed.danger)
        person = self._person(followed.person)
        link = self._link(person, incident.id) if incident else ""
        if not link:
            self.entries.append(Entry(self.clock.now, "looks for a link and finds none", followed.person))
            return
        try:
            with writing(self.engine) as connection:
                token = link.rpartition("/")[2]
                done = ack_links.use(connection, self.signer, token, at=self.clock.now, choice=followed.choice)
            said = f"{link}: {followed.choice.value}, {done.effect.value}"
        except Refused as refused:
            said = f"{link}: {followed.choice.value}, refused: {refused}"
        self.entries.append(Entry(self.clock.now, said, followed.person))

    def _link(self, person: Recipient, incident_id: int) -> str:
        """Return the link of the last text of an incident that someone got; "" for none."""
        base = self.config.links.base_url if self.config.links else ""
        for text in reversed(self.gateway.messages):
            found = re.search(rf"#{incident_id} ({re.escape(base)}\S+)", text.body)
            if text.to == person.e164 and found:
                return found[1]
        return ""

    def _incident(self, site: str, danger: str) -> Incident | None:
        """Return the newest incident of a danger at a site."""
        with reading(self.engine) as connection:
            found = store.newest(connection, sites=[site], limit=1000)
        return next((one for one in found if one.danger == danger), None)

    def _person(self, name: str) -> Recipient:
        return next(one for one in self.config.recipients if one.name == name)

    @property
    def texts(self) -> list[TextMessage]:
        """Every text that the gateway took, in that order."""
        return self.gateway.messages


@contextmanager
def opened(folder: Path, *, begin: datetime, chance: Callable[[], float]) -> Iterator[Night]:
    """Build a night in a folder, and end its gateway and database with the block."""
    with ExitStack() as resources:
        clock = Clock(begin)
        gateway = resources.enter_context(FakeTwilio(clock=clock))
        config = scenario.config(folder, gateway=gateway.url)
        engine = open_database(config.database)
        resources.callback(engine.dispose)
        migrate.require_current(engine)
        yield _build(config, engine, clock, gateway, chance)


def _build(config: Config, engine: Engine, clock: Clock, gateway: FakeTwilio, chance: Callable[[], float]) -> Night:
    """Build what `broker.service.service` builds, on another clock and without threads."""
    book = compiler.load(config.rules_file)
    rulebook = builtin_rules.beside(book, config.presence)
    places = Places.of(config)
    grouper = Grouper(config.recipients, config.incidents, places)
    listening = Listening()
    tracker = PresenceTracker(grouper, config.presence, lambda: listening.since) if config.presence else None
    leadership, metrics = SoleInstance(), NoMetrics()
    signer = (
        Signer(config.links.base_url, "0" * 32, timedelta(hours=config.links.valid_hours)) if config.links else None
    )
    if signer is None or config.twilio is None:
        raise ValueError("the night needs links and a gateway")
    dispatcher = Dispatcher(
        engine,
        SendersByRecipient.alone(_sender(config, clock)),
        Composer(places, rulebook, OfflineTranslator(), factory.by_korean_gateway(config), signer),
        config.notify,
        jitter=chance,
        leadership=leadership,
        longest_call=factory.longest_call(config),
        metrics=metrics,
        signer=signer,
        clock=clock,
    )
    return Night(
        config,
        engine,
        clock,
        gateway,
        FullDisk(engine),
        BatchProcessor(engine, book, grouper, on_notification=lambda: None, metrics=metrics, clock=clock),
        Scheduler(
            engine,
            rulebook,
            grouper,
            tracker=tracker,
            prune=lambda: False,
            on_notification=lambda: None,
            leadership=leadership,
            clock=clock,
        ),
        dispatcher,
        TwilioHooks(TOKEN, engine, config.recipients, config.incidents.escalation, answer_url=INBOUND, clock=clock),
        signer,
        listening,
        chance,
    )


def _sender(config: Config, clock: Clock) -> RateLimited:
    account = config.twilio
    if account is None:
        raise ValueError("the night needs a gateway")

    def make() -> TwilioSender:
        return TwilioSender(
            account.account_sid,
            TOKEN,
            sender=account.sender,
            base_url=account.base_url,
            timeout_seconds=account.timeout_seconds,
        )

    seconds = account.timeout_seconds * factory.PATIENT
    return RateLimited(make, seconds=seconds, per_second=account.per_second, clock=clock.seconds)
