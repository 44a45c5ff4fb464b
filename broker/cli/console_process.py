"""The console beside the alert service: a process of its own, started again when it fails, ended with the service."""

import contextlib
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from broker.config.errors import Misconfigured
from foundation import child_process

log = logging.getLogger(__name__)

FIRST_RESTART_SECONDS: Final = 2.0
LONGEST_RESTART_SECONDS: Final = 60.0

STEADY_SECONDS: Final = 60.0
"""After so long its next failure counts as the first."""

STOP_SECONDS: Final = 10.0
"""Wait for it to end its answers, before it is killed."""


@contextlib.contextmanager
def running(config: Path) -> Iterator[None]:
    """Keep the console running as long as the block runs. Its failures are logged and never end the block."""
    command = [sys.executable, "-m", "broker", "console", "--config", str(config)]
    stop = threading.Event()
    thread = threading.Thread(target=_keep, args=(child_process.bound(command), stop), name="console")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _keep(command: list[str], stop: threading.Event) -> None:
    wait = FIRST_RESTART_SECONDS
    while not stop.is_set():
        started_at = time.monotonic()
        code = _until_end(command, stop)
        if stop.is_set():
            return
        if code == Misconfigured.exit_code:
            log.error("console not started", extra={"reason": "it cannot work; it said why above"})
            return
        if time.monotonic() - started_at >= STEADY_SECONDS:
            wait = FIRST_RESTART_SECONDS
        log.warning("console ended", extra={"exit_code": code, "restart_seconds": wait})
        stop.wait(wait)
        wait = min(2 * wait, LONGEST_RESTART_SECONDS)


def _until_end(command: list[str], stop: threading.Event) -> int:
    """Run it until it ends, or until `stop`; return its exit code."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        while process.poll() is None and not stop.wait(0.1):
            pass
        if process.poll() is None:
            process.terminate()
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
