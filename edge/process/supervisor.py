"""Supervise: the processes of a device, started together and started again when they fail."""

import logging
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge.errors import MISCONFIGURED, TRY_AGAIN, Misconfigured, TryAgain
from edge.outbox.outbox import Outbox
from edge.process import backoff, sandbox, watchdog

log = logging.getLogger(__name__)

TURN_SECONDS: Final = 0.1
"""Time between two looks at the children."""

STEADY_SECONDS: Final = 60.0
"""A child that ran this long starts its next count of failures afresh."""

FIRST_RESTART_SECONDS: Final = 1.0
MAX_RESTART_SECONDS: Final = 30.0

STOP_SECONDS: Final = 15.0
"""Wait for a child that was asked to stop, before it is killed; an attempt to connect takes up to ten seconds."""

DRAIN_SECONDS: Final = 60.0
"""After the end of a replay, wait for the server to acknowledge what is still in the outbox."""


@dataclass
class Child:
    """One process, and how often it has failed."""

    verb: str
    """`look`, `send` or `pull`."""
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started_at: float = 0.0
    start_at: float = 0.0
    chance: Callable[[], float] = field(default=random.random, repr=False)

    def turn(self, now: float) -> bool:
        """Start it if it is time; say whether it has come to its end in peace.

        Raises `Misconfigured` where it did, because starting it again would not help.
        """
        if self.process is None:
            if now >= self.start_at:
                self._start(now)
            return False
        code = self.process.poll()
        if code is None:
            return False
        self.process = None
        if code == 0:
            return True
        if code == MISCONFIGURED:
            raise Misconfigured(f"`{self.verb}` cannot work; it said why above")
        self._plan_restart(code, now)
        return False

    def stop(self) -> None:
        """Ask it to stop, and kill it where it does not."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("killed", extra={"child": self.verb, "reason": f"did not stop within {STOP_SECONDS:g} s"})
            self.process.kill()
            self.process.wait()
        self.process = None

    def _start(self, now: float) -> None:
        self.started_at = now
        program = [sys.executable, "-m", "edge.cli", self.verb, *self.arguments]
        # This process has no threads, so that running Python between fork and exec is safe.
        self.process = subprocess.Popen(program, preexec_fn=sandbox.die_with_parent)  # noqa: PLW1509

    def _plan_restart(self, code: int, now: float) -> None:
        if now - self.started_at >= STEADY_SECONDS:
            self.failures = 0
        wait = backoff.delay(
            self.failures, first=FIRST_RESTART_SECONDS, maximum=MAX_RESTART_SECONDS, chance=self.chance()
        )
        self.failures += 1
        self.start_at = now + wait
        told = _why(code)
        log.warning("child ended", extra={"child": self.verb, "reason": told, "restart_seconds": round(wait, 1)})


def _why(code: int) -> str:
    """Say why a child ended, by its exit code or minus the number of the signal."""
    if code == -watchdog.ENDED_BY:
        return "it hung: no progress for `watchdog_seconds`"
    return "it said why above" if code in (1, TRY_AGAIN) else f"exit code {code}"


@dataclass(frozen=True, slots=True)
class Watched:
    """A camera for which processes are run."""

    stream: str
    is_pulled: bool
    """Whether a process of its own pulls its pictures from the network."""


def run(  # noqa: PLR0913  # what is run, and how
    config: Path,
    outbox: Outbox,
    stop: threading.Event,
    cameras: Sequence[Watched],
    *,
    frames: Path | None,
    verbose: bool,
) -> None:
    """Run the processes until `stop`, or until every camera's replay is over and the outbox is empty.

    Each camera has one that looks and, where it is pulled, one more. `frames` is the folder in memory for the pictures
    that are pulled.

    Raises `Misconfigured` where a child does, `TryAgain` where captions of a finished replay could not be sent.
    """
    arguments = ["--config", str(config), *(["--verbose"] if verbose else [])]
    by_frames = [] if frames is None else ["--frames", str(frames)]
    named = {camera.stream: ["--stream", camera.stream] if len(cameras) > 1 else [] for camera in cameras}
    watching = [Child("look", [*arguments, *by_frames, *named[camera.stream]]) for camera in cameras]
    pullers = [Child("pull", [*arguments, *by_frames, *named[one.stream]]) for one in cameras if one.is_pulled]
    sender, lookers = Child("send", arguments), list(watching)
    try:
        while not stop.is_set():
            now = time.monotonic()
            sender.turn(now)
            for puller in pullers:
                puller.turn(now)
            watching = [looker for looker in watching if not looker.turn(now)]
            if not watching:
                _drain(sender, outbox, stop)
                return
            stop.wait(TURN_SECONDS)
    finally:
        for child in (*lookers, *pullers, sender):
            child.stop()


def _drain(sender: Child, outbox: Outbox, stop: threading.Event) -> None:
    """Keep sending until nothing waits; raises `TryAgain` when that takes too long."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while outbox.ledger().waiting and not stop.is_set():
        if time.monotonic() >= deadline:
            waiting = outbox.ledger().waiting
            raise TryAgain(
                f"{outbox.path}: {waiting} captions still wait for the server's acknowledgement after "
                f"{DRAIN_SECONDS:g} s; they are kept, `wordcam-edge send` goes on with them"
            )
        sender.turn(time.monotonic())
        stop.wait(TURN_SECONDS)
