"""Send: captions from the outbox to the MQTT server, until the server says that it has them.

This process never sees a picture. It may be killed at any moment: what it knew is in the outbox.
"""

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from contract import ack, caption, status, thresholds, topics, update
from contract.errors import Refused
from contract.status import Fallback, Part, State, Status
from contract.system import System
from edge import config
from edge.errors import Failure, TryAgain
from edge.outbox import exposure_note, process_report, raised_thresholds
from edge.outbox.outbox import Outbox, Waiting
from edge.process import backoff
from edge.process.stage_timer import Latency
from edge.send import admission, mqtt
from edge.send.allowance import Allowance
from edge.send.in_flight import Flights
from edge.send.integration.port import Integration, Message
from edge.send.mqtt import Connection, Will
from edge.send.updates import Updates
from edge.update.outcome import Running

log = logging.getLogger(__name__)

WINDOW: Final = 20
"""Captions on their way at once: what Mosquitto takes from one client without queueing (max_inflight_messages)."""

POLL_SECONDS: Final = 0.05
"""Longest time a new caption lies in the outbox unnoticed while connected; a look costs microseconds."""

STEADY_WAITS: Final = 2.0
"""A session that lasts this many of the longest waits is not short."""

SHORT_SESSIONS: Final = 3
"""In a row, from which another device is likely to use this one's name."""

NEWS_SECONDS: Final = 3.0
"""Least time between two statuses because of news, which a process that was taken over may make up."""

ANSWER_SECONDS: Final = 15.0
"""Wait for the server's answer to CONNECT and SUBSCRIBE."""


class Send:
    """One device's words on their way to one server."""

    def __init__(  # noqa: PLR0913  # settings, identity and three sources of the unpredictable
        self,
        outbox: Outbox,
        settings: config.Mqtt,
        *,
        site: str,
        device: str,
        version: str,
        fallback: Fallback | None,
        on_connect: Callable[[], None],
        updates: Updates | None,
        allowance: Allowance,
        on_progress: Callable[[], None],
        integrations: tuple[Integration, ...] = (),
        system: Callable[[], System | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`fallback` says why the configuration is the last good one; `on_connect` is called when the server has us,
        and `on_progress` after every turn; `system` is asked which system runs, for each status."""
        self._outbox, self._settings, self._updates = outbox, settings, updates
        self._fallbacks = () if fallback is None else (fallback,)
        self._on_connect, self._on_progress = on_connect, on_progress
        self._site, self._device, self._version = site, device, version
        self._clock, self._now, self._chance = clock, now, chance
        self._topics = {channel: topics.topic(site, device, channel) for channel in topics.CHANNELS}
        self._allowance, self._system = allowance, system
        self._offers = () if updates is None else (self._topics["update"],)
        self._integrations = integrations
        self._heard = tuple(topic for one in integrations for topic in one.subscriptions)
        self._latency = Latency(clock)
        self._flights = Flights(settings.resend_seconds)
        self._connection: Connection | None = None
        self._up = False
        self._attempt = self._short_sessions = 0
        self._up_at = 0.0
        self._trouble = ""
        self._next_attempt_at = self._answer_by = self._next_status_at = self._status_at = 0.0
        self._since = now()
        self._newest_seq = self._newest_danger_seq = -1
        self._seen_version = -1
        self._sent_bytes = 0
        self._said: tuple[object, ...] = ()

    @property
    def is_connected(self) -> bool:
        """Whether the server has accepted this device's connection."""
        return self._up

    def run(self, stop: threading.Event) -> None:
        """Send until `stop` is set; raises `DiskFull`, `TryAgain`, and `Misconfigured` for files of the device.

        Nothing that a server says ends it."""
        reason = "stopped"
        try:
            while not stop.is_set():
                self._turn(stop)
                self._on_progress()
        except Failure as error:
            reason = str(error)
            raise
        finally:
            self._allowance.keep()
            self._leave(reason)

    def _turn(self, stop: threading.Event) -> None:
        """Do what is due, then wait a moment for something to happen."""
        if self._updates is not None and self._updates.turn(self._running):
            self._next_status_at = self._clock()
        if self._connection is None:
            if self._clock() < self._next_attempt_at:
                stop.wait(min(POLL_SECONDS, self._next_attempt_at - self._clock()))
                return
            self._connect()
        connection = self._connection
        if connection is not None:
            self._take(connection)
        if self._up and connection is not None:
            self._publish(connection)
            self._publish_again(connection)
            if self._clock() >= self._next_status_at:
                self._say_status(connection)
        elif self._connection is not None and self._clock() >= self._answer_by:
            self._lose(f"no answer within {ANSWER_SECONDS:g} s")

    def _connect(self) -> None:
        """Begin a connection; where nobody listens, choose when to try again."""
        self._since = self._now()
        connection = Connection(
            self._settings,
            client_id=f"wordcam-{self._site}-{self._device}",
            subscription=self._topics["ack"],
            optional=(self._topics["thresholds"], *self._offers, *self._heard),
            will=Will(self._topics["status"], status.encode(self._status(State.OFFLINE, "connection lost", at=None))),
            window=WINDOW,
        )
        try:
            connection.open()
        except TryAgain as error:
            self._lose(str(error))
            return
        self._connection = connection
        self._answer_by = self._clock() + ANSWER_SECONDS

    def _take(self, connection: Connection) -> None:
        """Wait for an event, and handle it with all that came at the same time."""
        stored: list[str] = []
        refused: list[str] = []
        try:
            event = connection.events.get(timeout=POLL_SECONDS)
            while True:
                self._handle(connection, event, stored, refused)
                event = connection.events.get_nowait()
        except queue.Empty:
            pass
        if stored or refused:
            self._settle(stored, refused)

    def _handle(self, connection: Connection, event: mqtt.Event, stored: list[str], refused: list[str]) -> None:
        if isinstance(event, mqtt.Received):
            if event.topic in self._heard:
                for one in self._integrations:
                    wanted = one.on_message(event.topic, event.payload, retained=event.retained)
                    self._publish_beside(connection, wanted)
            elif event.topic == self._topics["thresholds"]:
                self._read_thresholds(event.payload)
            elif event.topic in self._offers:
                self._read_offer(event.payload)
            else:
                self._read_ack(event.payload, stored, refused)
        elif isinstance(event, mqtt.Up):
            self._begin(connection)
        elif isinstance(event, mqtt.Turned):
            log.error("publication turned down", extra={"reason": event.why, "see": "the server's access rules"})
        elif isinstance(event, mqtt.Unheard):
            log.warning("topic unheard", extra={"reason": event.why, "see": "the server's access rules"})
        elif self._connection is connection:
            where = f"{self._settings.host}:{mqtt.port_of(self._settings)}"
            self._lose(f"{where}: {event.why}{self._count_short_session(taken_over=event.taken_over)}")

    def _begin(self, connection: Connection) -> None:
        """The server has us: say so, and send everything that waits from the oldest on."""
        # After short sessions the wait goes on growing: two devices of one name end one another's.
        self._up, self._up_at, self._attempt = True, self._clock(), self._short_sessions
        self._newest_seq, self._newest_danger_seq, self._seen_version = -1, -1, -1
        self._flights.clear()
        log.info("connected", extra={"host": self._settings.host, "waiting": self._outbox.ledger().waiting})
        self._say_status(connection)
        self._on_connect()
        for one in self._integrations:
            self._publish_beside(connection, one.on_connect())

    def _publish_beside(self, connection: Connection, messages: Iterable[Message]) -> None:
        """Publish what an integration wants; what the connection does not take is not tried again."""
        for message in messages:
            connection.publish(message.topic, message.payload, retain=message.retain)

    def _count_short_session(self, *, taken_over: bool) -> str:
        """Count a session that ended soon after it began, and say what a row of them means."""
        # Mosquitto closes the older of two sessions with one client id without saying why, so that a row of short
        # sessions is all that a device sees of another one with its name.
        if self._up and (taken_over or not self._is_steady()):
            self._short_sessions += 1
        if not taken_over and self._short_sessions < SHORT_SESSIONS:
            return ""
        return f"; another device uses the name {self._site}/{self._device}, or the network breaks again and again"

    def _is_steady(self) -> bool:
        return self._clock() - self._up_at >= STEADY_WAITS * self._settings.max_retry_seconds

    def _lose(self, why: str) -> None:
        """The connection is over: choose when to try again."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._up = None, False
        self._trouble = why[: process_report.MAX_REASON]
        wait = backoff.delay(
            self._attempt,
            first=self._settings.first_retry_seconds,
            maximum=self._settings.max_retry_seconds,
            chance=self._chance(),
        )
        self._attempt += 1
        self._next_attempt_at = self._clock() + wait
        self._note()
        log.warning("not connected", extra={"reason": why, "retry_seconds": round(wait, 1)})

    def _publish(self, connection: Connection) -> None:
        """Publish new captions, as many as the window lets, and news of the camera at once."""
        version = self._outbox.version()
        if version == self._seen_version:
            return
        looked = process_report.read(self._outbox, process_report.LOOK)
        if _news(looked) != self._said:
            self._next_status_at = min(self._next_status_at, max(self._clock(), self._status_at + NEWS_SECONDS))
        # Dangers have a window of their own: captions that nobody acknowledges hold up none.
        dangers = self._publish_new(connection, danger=True)
        if dangers and self._publish_new(connection, danger=False):
            self._seen_version = version

    def _publish_new(self, connection: Connection, *, danger: bool) -> bool:
        """Publish captions of one kind that were not yet; say whether none is left."""
        room = WINDOW - self._flights.count(danger=danger)
        if room <= 0:
            # Nothing changes until an acknowledgement comes, which makes us look again.
            return True
        new = self._outbox.waiting(
            after=self._newest_danger_seq if danger else self._newest_seq, limit=room, danger=danger
        )
        for row in new:
            if not self._allowance.allows():
                return False
            if not self._hand_over(connection, row, danger=danger, is_first=True):
                return False
            if danger:
                self._newest_danger_seq = row.seq
            else:
                self._newest_seq = row.seq
        return len(new) < room

    def _publish_again(self, connection: Connection) -> None:
        """Publish once more what the server has not acknowledged in time."""
        overdue = self._flights.overdue(self._clock())
        if overdue:
            see = "does the alert service run, and may this device read its topic `ack`?"
            log.warning("not acknowledged", extra={"captions": len(overdue), "see": see})
        for seq in overdue:
            for row in self._outbox.waiting(after=seq - 1, limit=1):
                if row.seq == seq:
                    self._hand_over(connection, row)
                else:
                    self._flights.drop_seq(seq)

    def _hand_over(self, connection: Connection, row: Waiting, *, danger: bool = False, is_first: bool = False) -> bool:
        """Publish a row, or refuse it where it is no caption of ours; say whether the connection took it."""
        try:
            payload = admission.admitted(row, site=self._site, device=self._device)
        except Refused as error:
            # Not the detail: it may hold what the row holds.
            log.error(  # noqa: TRY400  # a traceback would hold it too
                "not a caption; deleted, not sent", extra={"seq": row.seq, "reason": error.reason}
            )
            self._outbox.refuse(row.seq)
            self._flights.drop_seq(row.seq)
            return True
        topic = self._topics["caption"]
        if not connection.publish(topic, payload):
            return False
        if is_first and self._updates is not None:
            self._updates.count(payload, danger=danger)
        if is_first:
            self._allowance.take(len(payload))
        self._flights.publish(row.id, row.seq, self._clock(), danger=danger)
        self._sent_bytes += len(payload) + len(topic)
        for one in self._integrations:
            self._publish_beside(connection, one.on_caption(caption.decode(payload)))
        return True

    def _read_ack(self, payload: bytes, stored: list[str], refused: list[str]) -> None:
        try:
            message = ack.decode(payload)
        except Refused as error:
            log.warning("acknowledgement not understood", extra={"reason": str(error)})
            return
        stored += message.stored
        for refusal in message.refused:
            log.error("caption refused by the server", extra={"id": refusal.id, "reason": refusal.reason})
            refused.append(refusal.id)

    def _read_thresholds(self, payload: bytes) -> None:
        """Hand the thresholds that people have raised to the process that looks."""
        try:
            found = thresholds.decode(payload, site=self._site, device=self._device)
        except Refused as error:
            log.warning("thresholds not understood", extra={"reason": str(error)})
            return
        raised_thresholds.leave(self._outbox, found)
        log.info("thresholds", extra={"raised": len(found.raised)})

    def _read_offer(self, payload: bytes) -> None:
        """Hand on which model this device should run."""
        try:
            offer = update.decode(payload, site=self._site, device=self._device)
        except Refused as error:
            log.warning("offer not understood", extra={"reason": str(error)})
            return
        if self._updates is not None:
            self._updates.take_offer(offer)

    def _running(self) -> Running:
        """Return what the process that looks says of its model."""
        looked = process_report.read(self._outbox, process_report.LOOK)
        not_used = next((one for one in looked.fallbacks if one.part is Part.BUNDLE), None)
        if not_used is None:
            return Running(looked.model, started=looked.started)
        return Running(looked.model, not_used.reason, not_used.since, looked.started)

    def _settle(self, stored: list[str], refused: list[str]) -> None:
        """Let captions go, on disk first."""
        self._outbox.settle(stored=stored, refused=refused, sent_bytes=self._sent_bytes)
        self._sent_bytes = 0
        self._seen_version = -1
        now = self._clock()
        for event_id in (*stored, *refused):
            seconds = self._flights.land(event_id, now)
            if seconds is not None:
                self._latency.add("ack", seconds)

    def _say_status(self, connection: Connection) -> None:
        """Publish birth or heartbeat, and leave a note for the summary."""
        self._status_at = self._clock()
        self._next_status_at = self._status_at + self._settings.status_seconds
        if process_report.refuse_unreadable(self._outbox, process_report.LOOK):
            log.error("not a note; deleted, not sent", extra={"child": process_report.LOOK})
        self._note()
        looked = process_report.read(self._outbox, process_report.LOOK)
        self._said = _news(looked)
        # Why the device was away is said once, when it is back; of a second device as long as it may come again.
        said = self._status(State.ONLINE, looked.reason or self._trouble, at=self._now())
        connection.publish(self._topics["status"], _encoded(said), retain=True)
        for one in self._integrations:
            self._publish_beside(connection, one.on_status(said))
        if self._is_steady():
            self._short_sessions = 0
        if self._short_sessions < SHORT_SESSIONS:
            self._trouble = ""

    def _note(self) -> None:
        if self._sent_bytes:
            self._settle([], [])
        process_report.leave(self._outbox, process_report.SEND, _sender_note(self._latency, self._trouble))

    def _status(self, state: State, reason: str, *, at: datetime | None) -> Status:
        """Describe the device; a will has no `at` and says less, because it is written before its time."""
        looked = process_report.read(self._outbox, process_report.LOOK)
        return Status(
            state=state,
            site=self._site,
            device=self._device,
            since=self._since,
            at=at,
            reason=reason[: process_report.MAX_REASON],
            version=self._version,
            model=looked.model,
            ledger=self._outbox.ledger() if at else None,
            stages=(*looked.stages, *self._latency.stages()) if at else (),
            calm=looked.calm if at and looked.calm else msgspec.UNSET,
            conditions=looked.conditions if at and looked.conditions else msgspec.UNSET,
            cameras=looked.cameras if at and looked.cameras else msgspec.UNSET,
            clock=looked.clock if at and looked.clock else msgspec.UNSET,
            fallbacks=(_fallbacks(looked.fallbacks, self._fallbacks) or msgspec.UNSET) if at else msgspec.UNSET,
            update=self._updates.progress if at and self._updates is not None else msgspec.UNSET,
            exposed=(exposure_note.read(self._outbox) or msgspec.UNSET) if at else msgspec.UNSET,
            system=(self._system() or msgspec.UNSET) if at else msgspec.UNSET,
            armed=False if at and not looked.armed else msgspec.UNSET,
            evidence=True if at and looked.keeps_evidence else msgspec.UNSET,
        )

    def _leave(self, reason: str) -> None:
        """Say goodbye where the connection stands, and note what was sent."""
        if self._updates is not None:
            self._updates.close()
        if self._connection is not None:
            said = self._status(State.OFFLINE, reason, at=self._now())
            self._connection.close(Will(self._topics["status"], _encoded(said)) if self._up else None)
        self._note()


def _news(looked: process_report.Report) -> tuple[object, ...]:
    """Return what of a note is worth a status at once."""
    modes = (looked.armed, looked.keeps_evidence)
    return looked.reason, looked.conditions, looked.fallbacks, looked.model, looked.clock, modes


def _fallbacks(looked: tuple[Fallback, ...], own: tuple[Fallback, ...]) -> tuple[Fallback, ...]:
    """Return each part once: both processes read the same file."""
    by_part = {fallback.part: fallback for fallback in (*own, *looked)}
    return tuple(by_part.values())


def _sender_note(latency: Latency, trouble: str) -> process_report.Report:
    return process_report.Report(reason=trouble, stages=latency.stages())


def _encoded(said: Status) -> bytes:
    """Write a status as the contract has it: details go where it would be too long, or where they break it."""
    for shorter in (said, msgspec.structs.replace(said, calm=msgspec.UNSET, stages=())):
        try:
            payload = status.encode(shorter)
            status.decode(payload)
        except Refused as error:
            log.warning("status shortened", extra={"reason": error.reason})
        else:
            return payload
    return status.encode(
        msgspec.structs.replace(
            said,
            calm=msgspec.UNSET,
            stages=(),
            conditions=msgspec.UNSET,
            cameras=msgspec.UNSET,
            fallbacks=msgspec.UNSET,
            update=msgspec.UNSET,
            system=msgspec.UNSET,
            model="",
            reason="",
        )
    )
