"""Sends the alerts that wait in the database, until each is sent or dead."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine

from broker.config.broker import Notify
from broker.config.errors import Locked
from broker.notify import backoff, dead_letters, delivery_reports, notifications
from broker.notify.message import render
from broker.notify.notifications import Notification, State
from broker.notify.senders.by_recipient import SendersByRecipient
from broker.ports import (
    Busy,
    Doubtful,
    Leadership,
    Metrics,
    NoMetrics,
    Rejected,
    Sender,
    SendFailed,
    SoleInstance,
    Superseded,
    Term,
)
from broker.store.engine import reading, writing

log = logging.getLogger(__name__)

LONGEST_NAP_SECONDS: Final = 0.3
"""The database is looked at this often even if nobody wakes the notifier: other instances write intents, too."""

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far this machine's clock and the provider's may be apart when it is asked after a message."""

FAREWELL_SECONDS: Final = 5.0
"""At a stop, messages that are due are still sent for so long."""

LOCKED_PAUSE_SECONDS: Final = 1.0

HOW: Final[dict[type[SendFailed], str]] = {Rejected: "rejected", Busy: "busy", Doubtful: "doubtful"}
"""How an attempt failed, as it is counted; otherwise nobody was there."""

Clock = Callable[[], datetime]


@dataclass
class Dispatcher:
    """The one sender of alerts, as long as it is on duty. `compose` writes an alert's text, `jitter` gives 0 to 1."""

    engine: Engine
    senders: SendersByRecipient
    compose: Callable[[Notification, datetime], str]
    settings: Notify
    jitter: Callable[[], float]
    leadership: Leadership = field(default_factory=SoleInstance)
    longest_call: timedelta = timedelta(0)
    """How long the slowest sender may take to hand a message over."""
    clock: Clock = lambda: datetime.now(UTC)
    metrics: Metrics = field(default_factory=NoMetrics)
    beat: Callable[[], None] = lambda: None
    """Called again and again while it turns."""
    _turn: Term | None = None
    """The turn of duty in which it works; None until what an earlier one left half sent is in doubt."""
    _wake: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)

    def wake(self) -> None:
        """Say that there may be something to send."""
        self._wake.set()

    def stop(self) -> None:
        """Ask `run` to come to its end."""
        self._stop.set()
        self._wake.set()

    def run(self) -> None:
        """Send what is due, whenever it is due and this instance is on duty, until `stop`."""
        while not self._stop.is_set():
            self.beat()
            self._wake.clear()
            if not self._try_step():
                self._wake.wait(self._nap())
        deadline = time.monotonic() + FAREWELL_SECONDS
        while time.monotonic() < deadline and self._try_step():
            pass

    def step(self) -> bool:
        """Do the next thing that is due; False where nothing is, or this instance is off duty.

        Raises `Locked`, and `Superseded` where another instance has taken over meanwhile.
        """
        term = self.leadership.term
        if term is None:
            return False
        if term != self._turn:
            self._take_up(term)
        now = self.clock()
        with reading(self.engine) as connection:
            alert = notifications.next_due(connection, at=now)
        if alert is None:
            return False
        try:
            sender = self.senders.of(alert.recipient)
        except SendFailed as error:
            self._note_failure(alert, error, now)
            return True
        if alert.state is State.DOUBT and sender.askable:
            self._ask(alert, sender, now)
        elif self._is_too_old(alert, now):
            self._bury(alert, f"not sent within {self.settings.give_up_after_hours:g} h")
        else:
            self._send(alert, sender, now)
        return True

    def _send(self, alert: Notification, sender: Sender, now: datetime) -> None:
        text = alert.text or self.compose(alert, now)
        if alert.state is State.DOUBT:
            text = render.again(text, language=alert.language)
        if not self._begin(alert, text, sender.name, now):
            return
        if self.leadership.term != self._turn:
            # It took long to write that: somebody may have taken over, and then this message is theirs.
            self._put_off(alert, State.WAITING, timedelta(0), "this instance was held up before it handed it over")
            return
        self.metrics.attempted(sender.name)
        try:
            provider_id = sender.send(alert.phone or alert.recipient, text)
        except SendFailed as error:
            self.metrics.failed(sender.name, HOW.get(type(error), "unreachable"))
            self._note_failure(alert, error, now)
        else:
            self._note_sent(alert, sender.name, provider_id)

    def _begin(self, alert: Notification, text: str, provider: str, now: datetime) -> bool:
        try:
            with writing(self.engine) as connection:
                self._require(connection)
                return notifications.begin(connection, alert.id, text=text, provider=provider, at=now)
        except Locked:
            # Where the connection broke at the commit, the message may be `sending` now, although nobody sends it.
            self._turn = None
            raise

    def _note_failure(self, alert: Notification, error: SendFailed, now: datetime) -> None:
        if isinstance(error, Rejected) or (not isinstance(error, Doubtful) and self._is_too_old(alert, now)):
            self._bury(alert, str(error))
            return
        state = State.DOUBT if isinstance(error, Doubtful) else State.WAITING
        self._put_off(alert, state, self._patience(alert, error), str(error))

    def _patience(self, alert: Notification, error: SendFailed) -> timedelta:
        if isinstance(error, Busy):
            return error.retry_after
        first, longest = self.settings.first_retry_seconds, self.settings.longest_retry_seconds
        return backoff.wait(
            alert.attempts + 1,
            first=timedelta(seconds=first),
            longest=timedelta(seconds=longest),
            jitter=self.jitter(),
        )

    def _ask(self, alert: Notification, sender: Sender, now: datetime) -> None:
        since = (alert.tried_at or alert.created_at) - CLOCK_SKEW
        try:
            found = list(sender.find(alert.phone, alert.text, since=since))
        except SendFailed as error:
            if self._is_too_old(alert, now):
                self._bury(alert, f"it may have been sent; the provider could not be asked: {error}")
            else:
                self._put_off(alert, State.DOUBT, self._patience(alert, error), str(error))
            return
        with reading(self.engine) as connection:
            taken = notifications.known_provider_ids(connection, found)
        own = next((provider_id for provider_id in found if provider_id not in taken), None)
        if own is not None:
            self._note_sent(alert, sender.name, own)
        else:
            self._put_off(alert, State.WAITING, timedelta(0), "the provider does not know it")

    def _note_sent(self, alert: Notification, provider: str, provider_id: str) -> None:
        at = self.clock()
        about = _about(alert) | {"provider": provider, "provider_id": provider_id}

        def write(connection: Connection) -> None:
            # True whoever is on duty: one that has taken over is thereby spared to ask.
            if not notifications.mark_sent(connection, alert.id, provider_id=provider_id, at=at):
                log.error("alert was sent twice", extra=about)
            # The provider's report that it was lost may have been faster than its answer.
            if provider_id and (report := delivery_reports.lost(connection, provider_id)) is not None:
                notifications.mark_dead(connection, alert.id, error=f"{provider} reports: {report}")

        self._insist(write)
        self.metrics.sent(provider, alert.kind.value, seconds=(at - _first_due_at(alert)).total_seconds())
        log.info("alert sent", extra=about)

    def _put_off(self, alert: Notification, state: State, patience: timedelta, error: str) -> None:
        due_at = self.clock() + patience

        def write(connection: Connection) -> None:
            self._require(connection)
            notifications.put_off(connection, alert.id, state=state, due_at=due_at, error=error)

        self._insist(write)
        again = {"state": state.value, "again_in_seconds": round(patience.total_seconds(), 1), "error": error}
        log.warning("alert not sent yet", extra=_about(alert) | again)

    def _bury(self, alert: Notification, error: str) -> None:
        def write(connection: Connection) -> None:
            self._require(connection)
            notifications.mark_dead(connection, alert.id, error=error)

        self._insist(write)
        self.metrics.given_up(self._channel(alert))
        log.error("alert is dead: tell them yourself", extra=_about(alert) | {"error": error, "text": alert.sentence})

    def _channel(self, alert: Notification) -> str:
        try:
            return self.senders.of(alert.recipient).name
        except SendFailed:
            return "none"

    def _is_too_old(self, alert: Notification, now: datetime) -> bool:
        """Say whether an alert is too old to be news, counted from when someone asked to send it again, if so."""
        limit = timedelta(hours=self.settings.give_up_after_hours)
        if now - alert.created_at < limit:
            return False
        with reading(self.engine) as connection:
            again = dead_letters.resent_at(connection, alert.id)
        return again is None or now - again >= limit

    def _take_up(self, term: Term) -> None:
        """Put in doubt what was left half sent before this turn."""
        # A message handed over a moment ago may not be in the provider's list yet; and whoever was on duty before may
        # only have been silent, and be handing it over still.
        first = timedelta(seconds=self.settings.first_retry_seconds)
        due_at = self.clock() + (max(first, self.longest_call) if term.after_silence else first)
        with writing(self.engine) as connection:
            self.leadership.require(connection, term)
            count = notifications.doubt_unfinished(connection, at=due_at)
        if count:
            log.warning("a stop left alerts half sent; the provider is asked", extra={"alerts": count})
        self._turn = term

    def _require(self, connection: Connection) -> None:
        if self._turn is None:
            raise Superseded("this instance is not on duty")
        self.leadership.require(connection, self._turn)

    def _insist(self, write: Callable[[Connection], None]) -> None:
        """Write what has happened already, however long the database is locked, or until `stop`.

        A message that was handed over stays `sending` then, and the next start asks after it.
        """
        while True:
            self.beat()
            try:
                with writing(self.engine) as connection:
                    write(connection)
            except Locked as error:
                log.warning("database is locked; waiting", extra={"error": str(error)})
                if self._stop.wait(LOCKED_PAUSE_SECONDS):
                    return
            else:
                return

    def _try_step(self) -> bool:
        try:
            return self.step()
        except Locked as error:
            log.warning("database is locked; waiting", extra={"error": str(error)})
        except Superseded as error:
            log.warning("what was to be written is another instance's now", extra={"error": str(error)})
        return False

    def _nap(self) -> float:
        if self.leadership.term is None:
            return LONGEST_NAP_SECONDS
        try:
            with reading(self.engine) as connection:
                due_at = notifications.next_due_at(connection)
        except Locked:
            return LOCKED_PAUSE_SECONDS
        if due_at is None:
            return LONGEST_NAP_SECONDS
        seconds = (due_at - self.clock()).total_seconds()
        return min(max(seconds, 0.01), LONGEST_NAP_SECONDS)


def _first_due_at(alert: Notification) -> datetime:
    """Say when a message was to be sent at first; one that failed before is due later than it was."""
    return alert.created_at if alert.attempts else max(alert.created_at, alert.due_at)


def _about(alert: Notification) -> dict[str, object]:
    return {"alert": alert.id, "rule": alert.rule, "site": alert.site, "recipient": alert.recipient}
