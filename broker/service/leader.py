"""Elects the leader of several instances: it alone sends notifications and advances incidents; all of them ingest."""

import logging
import os
import secrets
import socket
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

RENEW_SECONDS: Final = 1.0
"""Between two renewals of the leader's lease: one small write."""

CHECK_SECONDS: Final = 0.5
"""Between two looks of a standby instance at the lease: one small read."""

EXPIRY_SECONDS: Final = 5.0
"""A lease that was not renewed for so long has expired: five renewals are missing. A takeover is then over within ten
seconds even on a busy machine; a wrong one is harmless, for tokens fence."""

VALID_SECONDS: Final = EXPIRY_SECONDS - 1.0
"""After a renewal, an instance believes for so long that it leads; others wait longer."""


class Decision(StrEnum):
    """Whether to take the lease, and why."""

    VACANT = "vacant"
    """No instance leads."""
    RESTARTED = "restarted"
    """This instance led before it was started again."""
    EXPIRED = "expired"
    """The leader has not renewed its lease."""
    STAND_BY = "stand-by"
    """Another instance leads."""


def decide(lease: Lease, *, ours: bool, unrenewed_seconds: float) -> Decision:
    """Choose whether to take the lease: `unrenewed_seconds` by our own clock, since it last changed.

    No clock is compared with another's: the holder's times may be wrong.
    """
    if not lease.holder:
        return Decision.VACANT
    if ours:
        return Decision.RESTARTED
    return Decision.EXPIRED if unrenewed_seconds >= EXPIRY_SECONDS else Decision.STAND_BY


@dataclass
class LeaderElection:
    """One instance's part in the election; implements `broker.ports.Leadership`."""

    engine: Engine
    name: str
    """Of this instance."""
    on_elected: Callable[[], None]
    """Called when a term of this instance begins."""
    seconds: Callable[[], float] = time.monotonic
    _process: str = field(default_factory=lambda: secrets.token_hex(8), init=False)
    _term: Term | None = field(default=None, init=False)
    _valid_until: float = field(default=0.0, init=False)
    _seen: Lease | None = field(default=None, init=False)
    _seen_at: float = field(default=0.0, init=False)
    _fresh: bool = field(default=True, init=False)
    """Whether no decision was made since the start."""
    _is_logged: bool = field(default=False, init=False)
    """Whether it was logged what this instance does since the start."""

    @property
    def term(self) -> Term | None:
        """The present term, as long as no other instance can have taken over."""
        term = self._term
        return term if term is not None and self.seconds() < self._valid_until else None

    def require(self, connection: Connection, term: Term) -> None:
        """Raise `Superseded` where another instance has taken over since."""
        leases.require(connection, term.token)

    def step(self) -> bool:
        """Renew the lease, or look whether it may be taken. Raises `Locked`."""
        if self._term is not None:
            self._renew(self._term)
            return False
        lease = self._read()
        unrenewed_seconds = self.seconds() - self._seen_at
        decision = decide(lease, ours=self._is_ours(lease), unrenewed_seconds=unrenewed_seconds)
        if decision is not Decision.STAND_BY:
            self._acquire(lease, decision, unrenewed_seconds)
        elif not self._is_logged:
            log.info("standby", extra={"leader": lease.holder, "place": lease.place})
            self._is_logged = True
        self._fresh = False
        return False

    def idle_seconds(self) -> float:
        """How long to wait for the next step."""
        return CHECK_SECONDS if self._term is None else RENEW_SECONDS

    def finish(self) -> None:
        """Release the lease, so that a standby instance need not wait; raises `Locked`."""
        term, self._term = self._term, None
        if term is not None:
            with writing(self.engine) as connection:
                leases.release(connection, term.token)

    def _read(self) -> Lease:
        try:
            with reading(self.engine) as connection:
                lease = leases.read(connection)
        except Locked:
            self._seen = None  # The database was away, for the leader as well: the lease may still be valid.
            raise
        if lease != self._seen:
            self._seen, self._seen_at = lease, self.seconds()
        return lease

    def _is_ours(self, lease: Lease) -> bool:
        # At a start only: two that wrongly share a name would otherwise take the lease from each other for ever.
        restarted = self._fresh and lease.holder == self.name
        # The connection broke at the very commit by which we took it.
        return restarted or lease.process == self._process

    def _acquire(self, lease: Lease, decision: Decision, unrenewed_seconds: float) -> None:
        started = self.seconds()
        me = Holder(self.name, self._process, f"{socket.gethostname()}, process {os.getpid()}")
        with writing(self.engine) as connection:
            token = leases.acquire(connection, lease, me, at=datetime.now(UTC))
        if token is None:
            return
        self._is_logged = True
        self._term = Term(token, after_expiry=decision is Decision.EXPIRED)
        self._valid_until = started + VALID_SECONDS
        before = {"before": lease.holder, "unrenewed_seconds": round(unrenewed_seconds, 1)}
        log.info("became leader", extra={"token": token, "reason": decision.value} | before)
        self.on_elected()

    def _renew(self, term: Term) -> None:
        started = self.seconds()
        with writing(self.engine) as connection:
            renewed = leases.renew(connection, term.token, at=datetime.now(UTC))
        if renewed:
            self._valid_until = started + VALID_SECONDS
            return
        self._term, self._seen = None, None
        log.warning("lost leadership", extra={"token": term.token})
