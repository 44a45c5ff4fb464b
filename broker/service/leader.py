"""Decides which instance is on duty: one at a time tells people and walks the rounds, however many take captions in."""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Engine

from broker.config.errors import Locked
from broker.ports import Term
from broker.service import lease as leases
from broker.service.lease import Holder, Lease
from broker.store.engine import reading, writing

log = logging.getLogger(__name__)

BEAT_SECONDS: Final = 1.0
"""Between two signs of life of the instance on duty: one small write."""

LOOK_SECONDS: Final = 0.5
"""Between two looks of one that stands by: one small read."""

SILENT_SECONDS: Final = 5.0
"""Without a sign of life for so long, the instance on duty is taken for dead: five beats that did not come. A take-over
is then over within ten seconds even on a machine that is too busy; a wrong one is harmless, for tokens fence."""

SURE_SECONDS: Final = SILENT_SECONDS - 1.0
"""After its last sign of life, an instance believes for so long that it is still on duty; others wait longer."""


class Reason(StrEnum):
    """Why the duty is taken up, or is not."""

    NOBODY = "nobody is on duty"
    RESTARTED = "this instance was on duty before it was started again"
    SILENT = "the instance on duty is silent"
    HELD = "another instance is on duty"


def decide(lease: Lease, *, ours: bool, silent_seconds: float) -> Reason:
    """Choose whether to take the duty up: `silent_seconds` by our own clock, since the lease last changed.

    No clock is compared with another's: the holder's times may be wrong.
    """
    if not lease.holder:
        return Reason.NOBODY
    if ours:
        return Reason.RESTARTED
    return Reason.SILENT if silent_seconds >= SILENT_SECONDS else Reason.HELD


@dataclass
class LeaderElection:
    """One instance's part in it. `on_turn` is called when its turn begins."""

    engine: Engine
    name: str
    on_turn: Callable[[], None] = lambda: None
    seconds: Callable[[], float] = time.monotonic
    _process: str = field(default_factory=lambda: secrets.token_hex(8))
    _turn: Term | None = None
    _sure_until: float = 0.0
    _seen: Lease | None = None
    _seen_at: float = 0.0
    _fresh: bool = True
    _troubled: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def term(self) -> Term | None:
        """The present turn, as long as nobody can have taken over."""
        term = self._turn
        return term if term is not None and self.seconds() < self._sure_until else None

    def require(self, connection: Connection, term: Term) -> None:
        """Raise `Superseded` where another instance has taken over since."""
        leases.require(connection, term.token)

    def stop(self) -> None:
        """Ask `run` to come to its end."""
        self._stop.set()

    def run(self) -> None:
        """Give signs of life, or look for those of others, until `stop`; the duty is laid down then."""
        while not self._stop.is_set():
            try:
                self.step()
                self._troubled = False
            except Locked as error:
                if not self._troubled:
                    log.warning("cannot agree with others who is on duty; trying again", extra={"error": str(error)})
                self._troubled = True
            self._stop.wait(BEAT_SECONDS if self._turn is not None else LOOK_SECONDS)
        self._lay_down()

    def step(self) -> None:
        """Give one sign of life, or have one look. Raises `Locked`."""
        if self._turn is not None:
            self._beat(self._turn)
            return
        lease = self._look()
        silent_seconds = self.seconds() - self._seen_at
        reason = decide(lease, ours=self._is_ours(lease), silent_seconds=silent_seconds)
        if reason is Reason.HELD:
            if self._fresh:
                log.info("standing by", extra={"on_duty": lease.holder, "place": lease.place})
            self._fresh = False
            return
        self._take(lease, reason, silent_seconds)
        self._fresh = False

    def _look(self) -> Lease:
        try:
            with reading(self.engine) as connection:
                lease = leases.read(connection)
        except Locked:
            self._seen = None  # The database was away, for its holder as well: that says nothing of the holder.
            raise
        if lease != self._seen:
            self._seen, self._seen_at = lease, self.seconds()
        return lease

    def _is_ours(self, lease: Lease) -> bool:
        # At a start only: two that wrongly share a name would otherwise take the duty from each other for ever.
        restarted = self._fresh and lease.holder == self.name
        # The connection broke at the very commit by which we took it.
        return restarted or lease.process == self._process

    def _take(self, lease: Lease, reason: Reason, silent_seconds: float) -> None:
        started = self.seconds()
        me = Holder(self.name, self._process, f"{socket.gethostname()}, process {os.getpid()}")
        with writing(self.engine) as connection:
            token = leases.take(connection, lease, me, at=datetime.now(UTC))
        if token is None:
            return
        self._turn = Term(token, after_silence=reason is Reason.SILENT)
        self._sure_until = started + SURE_SECONDS
        before = {"before": lease.holder, "silent_seconds": round(silent_seconds, 1)}
        log.info("on duty", extra={"token": token, "because": reason.value} | before)
        self.on_turn()

    def _beat(self, term: Term) -> None:
        started = self.seconds()
        with writing(self.engine) as connection:
            held = leases.beat(connection, term.token, at=datetime.now(UTC))
        if held:
            self._sure_until = started + SURE_SECONDS
            return
        self._turn, self._seen = None, None
        log.warning("off duty: another instance has taken over", extra={"token": term.token})

    def _lay_down(self) -> None:
        term, self._turn = self._turn, None
        if term is None:
            return
        try:
            with writing(self.engine) as connection:
                leases.release(connection, term.token)
        except Locked as error:
            log.warning("could not lay the duty down; others wait for it", extra={"error": str(error)})
