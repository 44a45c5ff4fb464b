"""What becomes of a process that hangs."""

import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edge.outbox.outbox import Outbox
from edge.process.watchdog import BEGIN_FACTOR, SLICE_SECONDS, Watchdog
from testing.waiting import wait_until
from tests.edge.conftest import Write
from tests.edge.program import ROOT

HANGS = """
import threading
from edge.process.watchdog import Watchdog
dog = Watchdog({limit}, lambda: None)
dog.begin()
dog.progress()
{work}
print("alive")
"""


def python(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.parametrize(
    "work",
    ["threading.Event().wait()", "while True: pass", "sum(range(10**13))"],
    ids=["a wait that never ends", "a loop that never ends", "a library that never returns"],
)
def test_a_process_that_hangs_is_ended(work: str) -> None:
    assert python(HANGS.format(limit=0.2, work=work)).returncode == -signal.SIGALRM


def test_one_that_has_come_to_its_end_may_take_its_time() -> None:
    assert python(HANGS.format(limit=30, work="dog.limit_seconds = 0.1; dog.end()")).stdout == "alive\n"


class Clock:
    """A clock that goes on by waiting alone."""

    def __init__(self) -> None:
        self.now = 0.0
        self.wound: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return False

    def dog(self, limit: float) -> Watchdog:
        return Watchdog(limit, lambda: None, self.wound.append, lambda: self.now)


def test_the_start_may_take_longer_and_the_end_any_time() -> None:
    clock = Clock()
    dog = clock.dog(60)
    dog.begin()
    dog.progress()
    dog.progress()
    dog.end()

    assert clock.wound == [60 * BEGIN_FACTOR, 60, 0]


def test_a_long_wait_is_cut_into_parts_that_each_count() -> None:
    clock = Clock()

    assert clock.dog(60).waiting(clock.wait)(3 * SLICE_SECONDS + 1) is False
    assert clock.now == 3 * SLICE_SECONDS + 1
    assert len(clock.wound) == 4


def test_a_wait_that_is_ended_says_so() -> None:
    stop = threading.Event()
    stop.set()

    assert Clock().dog(60).waiting(stop.wait)(100) is True


def test_run_starts_again_what_hangs(tiny: Path, tmp_path: Path, write_config: Write, frames: Path) -> None:
    camera = {"kind": "replay", "path": "frames", "pace": "real", "loop": True}
    path = write_config(bundle=str(tiny), camera=camera, watchdog_seconds=2)
    program = [sys.executable, "-m", "edge.cli", "run", "--config", str(path)]
    log = tmp_path / "log"
    with log.open("wb") as said, subprocess.Popen(program, stderr=said, cwd=ROOT) as run:
        wait_until((tmp_path / "outbox.sqlite").exists, "the outbox")
        with Outbox(tmp_path / "outbox.sqlite", 1000) as box:
            wait_until(lambda: box.ledger().captions > 0, "a caption")
            # SQLite waits inside the library for longer than the limit: to everyone outside, the process hangs.
            holder = sqlite3.connect(tmp_path / "outbox.sqlite", isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            wait_until(lambda: "it hung: no progress" in log.read_text("utf-8"), "that it is noticed")
            holder.execute("ROLLBACK")
            holder.close()
            before = box.ledger().captions
            wait_until(lambda: box.ledger().captions > before, "captions again")
        run.terminate()
        assert run.wait(60) == 0, log.read_text("utf-8")
