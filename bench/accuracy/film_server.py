"""The alert service in this process, on a film's clock: its own rules, incidents and messages, sent to nobody."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, select

from broker.config.broker import Recipient
from broker.config.incidents import Incidents
from broker.config.sites import Places
from broker.incidents.grouping import Grouper
from broker.incidents.scheduler import Scheduler
from broker.ingest.batch import BatchProcessor
from broker.ingest.decoder import Message
from broker.notify import notifications
from broker.ports import NoMetrics, Term
from broker.rules import compiler
from broker.store import migrate
from broker.store.engine import open_engine, reading, writing
from broker.store.outcome import Outcome
from broker.store.tables import core
from contract import caption, topics
from contract.caption import Caption

GUARD: Final = Recipient(name="guard", phone="+1 202 555 0123", max_per_hour=1000)
"""Whom every alarm reaches, by day and night; nobody has this number."""

LONGEST_STEP: Final = timedelta(minutes=5)
"""The clock is moved on by so much at most, so that everything is done when it is due."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One rule that fired on one caption."""

    rule: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """What the service made of a film's captions."""

    alarms: tuple[Alarm, ...]
    """Every time a rule fired, oldest first; whether a notification was sent does not matter."""
    texts: int
    """Messages to one guard, among them that a danger is over."""


class FilmServer:
    """Judges one film after the other, each as if nothing had ever happened before."""

    def __init__(self, rules: Path, folder: Path) -> None:
        """Read the rules and make empty tables in a folder; raises `broker.config.errors.Misconfigured`."""
        self._book = compiler.load(rules)
        self._folder = folder
        self._empty = folder / "empty.sqlite"
        engine = open_engine(self._empty)
        migrate.require_current(engine)
        engine.dispose()

    def hear(self, captions: Sequence[Caption], until: datetime) -> Heard:
        """Take in the captions of one camera in their order, and let time pass until the last message is written."""
        path = Path(shutil.copyfile(self._empty, self._folder / "film.sqlite"))
        engine = open_engine(path)
        try:
            _Run(engine, self._book, until).play(captions)
            return _heard(engine)
        finally:
            engine.dispose()
            for file in self._folder.glob("film.sqlite*"):
                file.unlink()


class _Alone:
    """The leadership of the only instance there is."""

    term = Term(0)

    def require(self, connection: Connection, term: Term) -> None:
        """Do nothing: there is no other instance."""


def _nothing() -> None:
    """Wake nobody: the film's clock decides when work is done."""


class _Run:
    """One film's service; its clock stands where the film is."""

    def __init__(self, engine: Engine, book: compiler.Rulebook, until: datetime) -> None:
        self._engine, self._until = engine, until
        self._now = until
        grouper = Grouper([GUARD], Incidents(), Places.nameless())

        def clock() -> datetime:
            return self._now

        self._processor = BatchProcessor(
            engine, book, grouper, on_notification=_nothing, metrics=NoMetrics(), clock=clock
        )
        self._scheduler = Scheduler(
            engine,
            book,
            grouper,
            tracker=None,
            prune=lambda: False,
            on_notification=_nothing,
            leadership=_Alone(),
            clock=clock,
        )

    def play(self, captions: Iterable[Caption]) -> None:
        for said in captions:
            self._pass_until(said.captured_at)
            topic = topics.topic(said.site, said.device, "caption")
            self._processor.process([Message(topic, caption.encode(said))])
            self._work()
        self._pass_until(self._until)

    def _pass_until(self, moment: datetime) -> None:
        """Move the clock on, doing what is due on the way."""
        if self._now == self._until:
            self._now = moment
        while self._now < moment:
            self._now = min(moment, self._now + LONGEST_STEP)
            self._work()

    def _work(self) -> None:
        while self._scheduler.step() or self._send():
            pass

    def _send(self) -> bool:
        """Take the next message as sent; False where none is due."""
        with writing(self._engine) as connection:
            due = notifications.next_due(connection, at=self._now)
            if due is None:
                return False
            notifications.begin(connection, due.id, text="-", provider="bench", at=self._now)
            return notifications.mark_sent(connection, due.id, provider_id=str(due.id), at=self._now)


def _heard(engine: Engine) -> Heard:
    decision, said = core.decision, core.caption
    fired = decision.c.outcome.not_in([Outcome.CANCELLED.value, Outcome.NOT_YET.value])
    query = select(decision.c.rule, said.c.captured_at).join(said, said.c.id == decision.c.caption_id).where(fired)
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(said.c.captured_at, decision.c.id)).all()
        texts = connection.execute(select(core.alert.c.id)).all()
    return Heard(tuple(Alarm(row.rule, row.captured_at) for row in rows), len(texts))
