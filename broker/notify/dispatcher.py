"""Sends the notifications that wait in the database, until each is sent or given up."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine

from broker.config.broker import Notify
from broker.config.errors import Locked
from broker.notify import backoff, dead_letters, delivery_reports, notifications
from broker.notify.links import Signer
from broker.notify.message import render
from broker.notify.notifications import Notification, State
from broker.notify.senders.by_recipient import SendersByRecipient
from broker.ports import (
    Busy,
    Doubtful,
    Leadership,
    Metrics,
    Rejected,
    Sender,
    SendFailed,
    Superseded,
    Term,
    Throttled,
)
from broker.store.engine import reading, writing

log = logging.getLogger(__name__)

LONGEST_IDLE_SECONDS: Final = 0.3
"""The database is read this often even if nothing wakes the dispatcher: other instances write intents, too."""

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far this machine's clock and the provider's may differ when the provider is asked for a message."""

DRAIN_SECONDS: Final = 5.0
"""At a stop, notifications that are due are still sent for so long."""

HOW: Final[dict[type[SendFailed], str]] = {Rejected: "rejected", Busy: "busy", Doubtful: "doubtful"}
"""How an attempt failed, as it is counted; any other failure counts as `unreachable`."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a notification, still to be written."""

    write: Callable[[Connection], None]
    written: Callable[[], None]
    """Called after the commit."""


@dataclass
class Dispatcher:
    """Sends notifications while this instance leads."""

    engine: Engine
    senders: SendersByRecipient
    compose: Callable[[Notification, datetime], str]
    """Writes the text of a notification."""
    settings: Notify
    jitter: Callable[[], float]
    """Returns a random number from 0 to 1."""
    leadership: Leadership
    longest_call: timedelta
    """How long the slowest sender may take to hand a message over."""
    metrics: Metrics
    signer: Signer | None = None
    """Puts the links into texts as they are sent; the database keeps them masked."""
    clock: Clock = lambda: datetime.now(UTC)
    _term: Term | None = field(default=None, init=False)
    """The term in which it works; None until what an earlier one left `sending` is in doubt."""
    _unwritten: _Outcome | None = field(default=None, init=False)

    def idle_seconds(self) -> float:
        """How long to wait until a notification is due; raises `Locked`."""
        if self.leadership.term is None:
            return LONGEST_IDLE_SECONDS
        with reading(self.engine) as connection:
            due_at = notifications.next_due_at(connection)
        if due_at is None:
            return LONGEST_IDLE_SECONDS
        seconds = (due_at - self.clock()).total_seconds()
        return min(max(seconds, 0.01), LONGEST_IDLE_SECONDS)

    def finish(self) -> None:
        """Send what is due, for `DRAIN_SECONDS` at most; raises `Locked` or `Superseded`."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline and self.step():
            pass

    def step(self) -> bool:
        """Do the next thing that is due; False where nothing is, or another instance leads.

        Raises `Locked`, and `Superseded` where another instance has taken over meanwhile. An outcome that could not be
        written is written first.
        """
        if self._unwritten is not None:
            self._write(self._unwritten)
            return True
        term = self.leadership.term
        if term is None:
            return False
        if term != self._term:
            self._begin_term(term)
        now = self.clock()
        with reading(self.engine) as connection:
            notification = notifications.next_due(connection, at=now)
        if notification is None:
            return False
        try:
            sender = self.senders.of(notification.recipient)
        except SendFailed as error:
            self._note_failure(notification, error, now)
            return True
        if notification.state is State.DOUBT and sender.askable:
            self._ask(notification, sender, now)
        elif self._is_too_old(notification, now):
            self._give_up(notification, f"not sent within {self.settings.give_up_after_hours:g} h")
        else:
            self._send(notification, sender, now)
        return True

    def _send(self, notification: Notification, sender: Sender, now: datetime) -> None:
        text = notification.text or self.compose(notification, now)
        if notification.state is State.DOUBT:
            text = render.again(text, language=notification.language)
        if not self._begin(notification, text, sender.name, now):
            return
        if self.leadership.term != self._term:
            # Writing that took long: another instance may have taken over, and then this message is its own.
            self._retry_later(notification, State.WAITING, timedelta(0), "the term may have ended before it was sent")
            return
        self.metrics.attempted(sender.name)
        try:
            provider_id = sender.send(notification.phone or notification.recipient, self._as_sent(notification, text))
        except SendFailed as error:
            self.metrics.failed(sender.name, HOW.get(type(error), "unreachable"))
            self._note_failure(notification, error, now)
        else:
            self._note_sent(notification, sender.name, provider_id)

    def _as_sent(self, notification: Notification, text: str) -> str:
        return text if self.signer is None else self.signer.reveal(notification.id, text)

    def _begin(self, notification: Notification, text: str, provider: str, now: datetime) -> bool:
        try:
            with writing(self.engine) as connection:
                self._require(connection)
                return notifications.begin(connection, notification.id, text=text, provider=provider, at=now)
        except Locked:
            # Where the connection broke at the commit, the row may be `sending` although nothing is being sent.
            self._term = None
            raise

    def _note_failure(self, notification: Notification, error: SendFailed, now: datetime) -> None:
        if isinstance(error, Rejected) or (not isinstance(error, Doubtful) and self._is_too_old(notification, now)):
            self._give_up(notification, str(error))
            return
        state = State.DOUBT if isinstance(error, Doubtful) else State.WAITING
        level = logging.INFO if isinstance(error, Throttled) else logging.WARNING
        self._retry_later(notification, state, self._patience(notification, error), str(error), level)

    def _patience(self, notification: Notification, error: SendFailed) -> timedelta:
        if isinstance(error, Busy):
            return error.retry_after
        first, longest = self.settings.first_retry_seconds, self.settings.longest_retry_seconds
        return backoff.wait(
            notification.attempts + 1,
            first=timedelta(seconds=first),
            longest=timedelta(seconds=longest),
            jitter=self.jitter(),
        )

    def _ask(self, notification: Notification, sender: Sender, now: datetime) -> None:
        since = (notification.tried_at or notification.created_at) - CLOCK_SKEW
        try:
            found = list(sender.find(notification.phone, self._as_sent(notification, notification.text), since=since))
        except SendFailed as error:
            if self._is_too_old(notification, now):
                self._give_up(notification, f"it may have been sent; the provider could not be asked: {error}")
            else:
                self._retry_later(notification, State.DOUBT, self._patience(notification, error), str(error))
            return
        with reading(self.engine) as connection:
            taken = notifications.known_provider_ids(connection, found)
        own = next((provider_id for provider_id in found if provider_id not in taken), None)
        if own is not None:
            self._note_sent(notification, sender.name, own)
        else:
            self._retry_later(notification, State.WAITING, timedelta(0), "the provider does not know it")

    def _note_sent(self, notification: Notification, provider: str, provider_id: str) -> None:
        at = self.clock()
        about = _about(notification) | {"provider": provider, "provider_id": provider_id}

        def write(connection: Connection) -> None:
            # True whichever instance leads: one that has taken over need not ask the provider.
            if not notifications.mark_sent(connection, notification.id, provider_id=provider_id, at=at):
                log.error("notification sent twice", extra=about)
            # The provider's report that it was lost may have been faster than its answer.
            if provider_id and (report := delivery_reports.lost(connection, provider_id)) is not None:
                notifications.mark_dead(connection, notification.id, error=f"{provider} reports: {report}")

        def written() -> None:
            self.metrics.sent(
                provider, notification.kind.value, seconds=(at - _first_due_at(notification)).total_seconds()
            )
            log.info("notification sent", extra=about)

        self._write(_Outcome(write, written))

    def _retry_later(
        self, notification: Notification, state: State, patience: timedelta, error: str, level: int = logging.WARNING
    ) -> None:
        due_at = self.clock() + patience

        def write(connection: Connection) -> None:
            self._require(connection)
            notifications.put_off(connection, notification.id, state=state, due_at=due_at, error=error)

        def written() -> None:
            again = {"state": state.value, "again_in_seconds": round(patience.total_seconds(), 1), "error": error}
            log.log(level, "notification not sent; retrying", extra=_about(notification) | again)

        self._write(_Outcome(write, written))

    def _give_up(self, notification: Notification, error: str) -> None:
        def write(connection: Connection) -> None:
            self._require(connection)
            notifications.mark_dead(connection, notification.id, error=error)

        def written() -> None:
            self.metrics.given_up(self._channel(notification))
            log.error(
                "notification given up", extra=_about(notification) | {"error": error, "text": notification.sentence}
            )

        self._write(_Outcome(write, written))

    def _channel(self, notification: Notification) -> str:
        try:
            return self.senders.of(notification.recipient).name
        except SendFailed:
            return "none"

    def _is_too_old(self, notification: Notification, now: datetime) -> bool:
        """Return whether an alert is too old to be news, counted from when someone asked to send it again, if so."""
        limit = timedelta(hours=self.settings.give_up_after_hours)
        if now - notification.created_at < limit:
            return False
        with reading(self.engine) as connection:
            again = dead_letters.resent_at(connection, notification.id)
        return again is None or now - again >= limit

    def _begin_term(self, term: Term) -> None:
        """Mark the messages that an earlier term left `sending` as in doubt."""
        # A message handed over a moment ago may not be in the provider's list yet; and the leader before may only have
        # been slow, and be handing it over still.
        first = timedelta(seconds=self.settings.first_retry_seconds)
        due_at = self.clock() + (max(first, self.longest_call) if term.after_expiry else first)
        with writing(self.engine) as connection:
            self.leadership.require(connection, term)
            count = notifications.doubt_unfinished(connection, at=due_at)
        if count:
            log.warning("in-flight notifications of an earlier term are in doubt", extra={"notifications": count})
        self._term = term

    def _require(self, connection: Connection) -> None:
        if self._term is None:
            raise Superseded("this instance does not lead")
        self.leadership.require(connection, self._term)

    def _write(self, outcome: _Outcome) -> None:
        """Write what has happened; raises `Locked`, and the next step writes it then, or `Superseded`.

        A message that was handed over stays `sending` until it is written, and a restart asks the provider for it.
        """
        self._unwritten = outcome
        try:
            with writing(self.engine) as connection:
                outcome.write(connection)
        except Superseded:
            self._unwritten = None
            raise
        self._unwritten = None
        outcome.written()


def _first_due_at(notification: Notification) -> datetime:
    """Return when a message was to be sent at first; one that failed before is due later than it was."""
    return notification.created_at if notification.attempts else max(notification.created_at, notification.due_at)


def _about(notification: Notification) -> dict[str, object]:
    facts = {"notification": notification.id, "rule": notification.rule}
    return facts | {"site": notification.site, "recipient": notification.recipient}
