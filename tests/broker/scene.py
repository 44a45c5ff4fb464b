"""A control room for tests: a database, a desk, rounds and a provider, by one clock that the test moves."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select

from broker.config.broker import Recipient
from broker.config.database import Database
from broker.config.incidents import Escalation, Incidents, PresenceSettings, Step
from broker.config.sites import Places
from broker.incidents import store
from broker.incidents.grouping import Grouper
from broker.incidents.incident import Event, Incident
from broker.incidents.presence import builtin_rules
from broker.incidents.presence.tracker import PresenceTracker
from broker.incidents.scheduler import Scheduler
from broker.ingest.batch import BatchProcessor
from broker.notify import notifications
from broker.notify.notifications import Notification
from broker.ports import NoMetrics, Term
from broker.rules import compiler
from broker.rules.compiler import Rulebook
from broker.rules.schema import RulesFile, RuleText
from broker.store import migrate
from broker.store.engine import open_database, open_engine, reading, writing
from broker.store.tables import core
from contract.status import State
from tests.broker.device import NOON, Clock, event, said, stated, status

RULES = compiler.build(
    RulesFile(
        rules=(
            RuleText(name="gun", severity="critical", says=("gun",)),
            RuleText(name="fire", severity="critical", says=("fire",)),
            RuleText(name="smoke", severity="warning", says=("=smoke",)),
            RuleText(name="falling", danger="fall", severity="warning", says=("person fall",)),
            RuleText(name="fallen", danger="fall", severity="critical", says=("person lie",)),
        )
    ),
    origin="rules.yaml",
)
"""Few dangers, each said by one word."""

GUARD = Recipient(name="guard", phone="+12025550143")
CHIEF = Recipient(name="chief", phone="+12025550178")
CHAIN = Escalation(steps=(Step(after_minutes=5, notify=("chief",)),), cycles=2)


class SoleInstance:
    """The leadership of the only instance there is."""

    term = Term(0)

    def require(self, connection: Connection, term: Term) -> None:
        """Do nothing: there is no other instance."""


def make_processor(
    engine: Engine,
    rulebook: Rulebook,
    people: Sequence[Recipient],
    *,
    clock: Callable[[], datetime],
    settings: Incidents | None = None,
    places: Places | None = None,
) -> BatchProcessor:
    """Make what ingests messages, with nobody to wake and nothing counted."""
    grouper = Grouper(people, settings or Incidents(), places or Places.nameless())
    return BatchProcessor(engine, rulebook, grouper, on_notification=lambda: None, metrics=NoMetrics(), clock=clock)


def make_scheduler(
    engine: Engine,
    rulebook: Rulebook,
    grouper: Grouper,
    *,
    clock: Callable[[], datetime],
    tracker: PresenceTracker | None = None,
    prune: Callable[[], bool] = lambda: False,
) -> Scheduler:
    """Make what advances incidents, on an instance that always leads."""
    return Scheduler(
        engine,
        rulebook,
        grouper,
        tracker=tracker,
        prune=prune,
        on_notification=lambda: None,
        leadership=SoleInstance(),
        clock=clock,
    )


def empty_database(folder: Path) -> Path:
    """Make a database with tables and nothing in them, to be copied."""
    path = folder / "empty.db"
    engine = open_engine(path)
    migrate.require_current(engine)
    engine.dispose()
    return path


@dataclass
class Scene:
    """Captions go in by `say`, messages come out by `deliver`, and time passes by `wait`."""

    folder: Path
    people: Sequence[Recipient] = (GUARD,)
    settings: Incidents = field(default_factory=Incidents)
    clock: Clock = field(default_factory=lambda: Clock(NOON))
    template: Path | None = None
    """A database to begin with."""
    presence: PresenceSettings | None = None
    """How devices are missed; nobody misses them without."""
    listening_since: datetime | None = NOON - timedelta(days=1)
    database: Database | None = None
    """One to work on, in place of a file of its own."""
    _seq: int = 0

    def __post_init__(self) -> None:
        path = self.folder / "wordcam.db"
        if self.template is not None:
            shutil.copy(self.template, path)
        self.engine: Engine = open_engine(path) if self.database is None else open_database(self.database)
        migrate.require_current(self.engine)
        places = Places.nameless()
        self.grouper = Grouper(self.people, self.settings, places)
        tracker = None
        if self.presence is not None:
            tracker = PresenceTracker(self.grouper, self.presence, lambda: self.listening_since)
        rulebook = builtin_rules.beside(RULES, self.presence)
        self.scheduler = make_scheduler(self.engine, rulebook, self.grouper, clock=self.clock, tracker=tracker)
        self.processor = make_processor(self.engine, RULES, self.people, clock=self.clock, settings=self.settings)

    def say(self, text: str, *, camera: str = "cam-0", site: str = "north-gate") -> list[str]:
        """Let a camera say something, and return what came of it: `gun: first`."""
        self._seq += 1
        caption = event(text, seq=self._seq, stream=camera, site=site, captured_at=self.clock.now)
        self.processor.process([said(caption)])
        with reading(self.engine) as connection:
            last = select(core.caption.c.id).order_by(core.caption.c.id.desc()).limit(1).scalar_subquery()
            table = core.decision
            rows = connection.execute(select(table).where(table.c.caption_id == last).order_by(table.c.id)).all()
        return [f"{row.rule}: {row.outcome}" for row in rows]

    def state(self, device: str, state: State = State.ONLINE, **changes: Any) -> None:
        """Let a device say how it is, or the MQTT server in its name."""
        facts = {"site": "north-gate", "at": self.now if state is State.ONLINE else None} | changes
        self.processor.process([stated(status(device=device, state=state, **facts))])

    def walk(self) -> None:
        """Do the rounds until nothing is due."""
        for _ in range(200):
            if not self.scheduler.step():
                return
        raise AssertionError("the rounds never come to an end")

    def deliver(self, *, rejected: Sequence[str] = ()) -> list[str]:
        """Send every message that is due, and return them as `first to guard`; `rejected` numbers are dead."""
        gone: list[str] = []
        with writing(self.engine) as connection:
            while (alert := notifications.next_due(connection, at=self.clock.now)) is not None:
                notifications.begin(
                    connection, alert.id, text=f"ALERT {alert.rule}", provider="test", at=self.clock.now
                )
                if alert.recipient in rejected:
                    notifications.mark_dead(connection, alert.id, error="no such number")
                else:
                    notifications.mark_sent(connection, alert.id, provider_id=f"T{alert.id}", at=self.clock.now)
                    gone.append(f"{alert.kind} to {alert.recipient}")
        return gone

    def wait(self, **time: float) -> list[str]:
        """Let time pass, do the rounds and deliver."""
        self.clock.now += timedelta(**time)
        self.walk()
        return self.deliver()

    def pass_by(self, *, hours: float, minutes: float = 1) -> list[str]:
        """Let hours pass, some minutes at a time."""
        gone: list[str] = []
        for _ in range(round(hours * 60 / minutes)):
            gone += self.wait(minutes=minutes)
        return gone

    @property
    def now(self) -> datetime:
        return self.clock.now

    @property
    def incidents(self) -> list[Incident]:
        """All of them, oldest first."""
        with reading(self.engine) as connection:
            return store.newest(connection, limit=1000)[::-1]

    @property
    def incident(self) -> Incident:
        """The only one."""
        (found,) = self.incidents
        return found

    def events(self, incident_id: int = 1) -> list[Event]:
        with reading(self.engine) as connection:
            return list(store.timeline(connection, incident_id))

    def kinds(self, incident_id: int = 1) -> list[str]:
        return [one.kind.value for one in self.events(incident_id)]

    @property
    def alerts(self) -> list[Notification]:
        with reading(self.engine) as connection:
            return notifications.made_since(connection, NOON - timedelta(days=1))

    def do(self, action: Any, *arguments: Any, **named: Any) -> Any:
        """Call a function of the store or of `response` in a transaction, at this moment."""
        with writing(self.engine) as connection:
            return action(connection, *arguments, at=self.now, **named)

    def close(self) -> None:
        self.engine.dispose()
