"""Model updates in the process that sends: takes offers, starts the process that fetches, and reports how far it is."""

import logging
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

import msgspec

from contract.update import Offer, Progress, Reason, Update
from edge.outbox import model_update
from edge.outbox.outbox import Outbox
from edge.process import backoff
from edge.update import outcome

log = logging.getLogger(__name__)

STEP_SECONDS: Final = 2 * 3600.0
"""A try that has taken so long is ended; what it has of the download stays."""

FIRST_RETRY_SECONDS: Final = 60.0
MAX_RETRY_SECONDS: Final = 4 * 3600.0

LOOK_SECONDS: Final = 1.0
"""Time between two looks at what is due."""

SPREAD_SECONDS: Final = 10.0
"""Devices that are offered something at the same moment begin at random within this time."""


class _Captioned(msgspec.Struct, frozen=True):
    """What is asked of a caption: who wrote it."""

    model: str


class Child(Protocol):
    """What is asked of the process that fetches."""

    def poll(self) -> int | None:
        """Return its exit code; None while it runs."""

    def kill(self) -> None:
        """End it."""

    def wait(self) -> int:
        """Wait for its end."""


class Updates:
    """One device's updates. Its methods are called by one thread."""

    def __init__(  # noqa: PLR0913 - collaborators, and three sources of the unpredictable
        self,
        outbox: Outbox,
        device_class: str,
        start: Callable[[], Child],
        installed: outcome.Installed,
        *,
        chance: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`start` starts `wordcam-edge update`: it reads the offer from the outbox, and notes there how far it is."""
        self._outbox, self._device_class, self._start, self._installed = outbox, device_class, start, installed
        self._chance, self._clock, self._now = chance, clock, now
        self._child: Child | None = None
        self._kill_at = 0.0
        self._attempt = 0
        self._next_at = self._look_at = clock()
        self._said = self.progress
        self._offer = model_update.read_offer(outbox)
        self._health = outcome.Health()

    def take_offer(self, offer: Offer) -> None:
        """Begin what is offered, or stop what is no longer."""
        if self._offer is not None and offer.target == self._offer.target:
            return
        log.info("offered", extra={"target": offer.target or "nothing"})
        model_update.leave_offer(self._outbox, offer)
        self._offer = offer
        self._end_child()
        self._attempt, self._next_at = 0, self._clock() + self._chance() * SPREAD_SECONDS
        if offer.target is None and self.progress.progress in (Progress.DOWNLOADING, Progress.WAITING):
            self._note(Update(device_class=self._device_class, at=self._now()))

    @property
    def progress(self) -> Update:
        """How far the device is, for its status."""
        return model_update.read_progress(self._outbox, self._device_class)

    def count(self, payload: bytes, *, danger: bool) -> None:
        """Count a caption that was sent for the first time."""
        self._health.count(msgspec.json.decode(payload, type=_Captioned).model, danger=danger)

    def turn(self, running: Callable[[], outcome.Running]) -> bool:
        """Do what is due; say whether the progress has changed. `running` asks what the process that looks says."""
        if self._clock() < self._look_at:
            return False
        self._look_at = self._clock() + LOOK_SECONDS
        if self._child is not None:
            self._watch(self._child)
        elif self._is_due(self.progress):
            self._begin()
        self._judge(self.progress, running())
        said, self._said = self._said, self.progress
        return self._said != said

    def close(self) -> None:
        """End the process that fetches; what it has of the download stays."""
        self._end_child()

    def _is_due(self, progress: Update) -> bool:
        target = self._offer.target if self._offer is not None else None
        if target is None or self._clock() < self._next_at:
            return False
        return progress.target != target or not outcome.is_final(progress)

    def _begin(self) -> None:
        try:
            self._child = self._start()
        except OSError as error:
            log.warning("cannot start the update", extra={"reason": str(error)})
            self._plan_retry()
            return
        self._kill_at = self._clock() + STEP_SECONDS

    def _watch(self, child: Child) -> None:
        code = child.poll()
        if code is None and self._clock() >= self._kill_at:
            self._end_child()
            self._fail(Reason.TOO_SLOW, f"not done within {STEP_SECONDS / 3600:g} h")
        elif code is not None:
            self._child = None
            if code:
                self._fail(Reason.UNREACHABLE, f"`update` ended with exit code {code}; the log says why")
            elif not outcome.is_final(self.progress):
                self._plan_retry()

    def _fail(self, reason: Reason, detail: str) -> None:
        offered = self._offer.target if self._offer is not None else None
        self._note(
            Update(
                device_class=self._device_class,
                progress=Progress.WAITING,
                target=offered,
                reason=reason,
                detail=detail,
                at=self._now(),
            )
        )
        self._plan_retry()

    def _plan_retry(self) -> None:
        wait = backoff.delay(self._attempt, first=FIRST_RETRY_SECONDS, maximum=MAX_RETRY_SECONDS, chance=self._chance())
        self._attempt += 1
        self._next_at = self._clock() + wait

    def _judge(self, progress: Update, running: outcome.Running) -> None:
        """Follow a new model until it has proved itself, or return to the one before it."""
        verdict = self._health.judge(progress, running, self._clock())
        if verdict is None:
            return
        if verdict.progress is not Progress.RUNNING:
            log.error("update taken back", extra={"target": progress.target, "reason": verdict.detail})
            self._switch_back()
        self._note(outcome.with_verdict(progress, verdict, at=self._now()))

    def _switch_back(self) -> None:
        try:
            self._installed.switch_back()
        except OSError as error:  # the process that looks uses its last good one all the same
            log.warning("cannot return to the bundle before", extra={"reason": str(error)})

    def _note(self, progress: Update) -> None:
        model_update.leave_progress(self._outbox, progress)

    def _end_child(self) -> None:
        if self._child is not None:
            if self._child.poll() is None:
                self._child.kill()
                self._child.wait()
            self._child = None


def start_update(config: Path) -> subprocess.Popen[bytes]:
    """Start `wordcam-edge update` beside this process; raises `OSError`."""
    program = [sys.executable, "-m", "edge.cli", "update", "--config", str(config)]
    return subprocess.Popen(program, stdin=subprocess.DEVNULL)
