"""The loop of every thread: it works, waits, tries again, and ends."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from broker.config.errors import Locked
from broker.monitor.thread_heartbeat import ThreadHeartbeat
from broker.ports import Superseded
from broker.service.worker import LONGEST_RETRY_SECONDS, Worker, running

NEVER = 3600.0


@dataclass
class Script:
    """A task whose steps do what the test wrote down, and which then idles."""

    steps: Iterator[bool | Exception]
    idle: float = NEVER
    done: int = 0
    finished: list[int] = field(default_factory=list)
    idling: threading.Event = field(default_factory=threading.Event)

    def step(self) -> bool:
        """Do the next thing of the script; at its end there is nothing to do."""
        outcome = next(self.steps, False)
        if isinstance(outcome, Exception):
            raise outcome
        self.done += outcome
        return outcome

    def idle_seconds(self) -> float:
        """Say that the task waits now."""
        self.idling.set()
        return self.idle

    def finish(self) -> None:
        """Write down how much was done before the end."""
        self.finished.append(self.done)


def worker_of(task: Script) -> Worker:
    return Worker("test", task, ThreadHeartbeat(60), threading.Event())


def run(task: Script) -> list[BaseException]:
    """Run a task until it idles, and return what crashed it."""
    crashes: list[BaseException] = []

    def crashed(error: BaseException) -> None:
        crashes.append(error)
        task.idling.set()

    with running(worker_of(task), on_crash=crashed):
        assert task.idling.wait(30)
    return crashes


def test_it_works_until_nothing_is_due_and_finishes_once() -> None:
    task = Script(iter([True, True, True]))

    assert run(task) == []
    assert task.finished == [3]


@pytest.mark.parametrize("problem", [Locked("database is locked"), Superseded("term 2")], ids=["locked", "superseded"])
def test_after_what_passes_by_itself_it_works_on(problem: Exception) -> None:
    task = Script(iter([True, problem, True]))

    assert run(task) == []
    assert task.finished == [2]


def test_what_does_not_pass_ends_it_and_is_reported() -> None:
    problem = KeyError("a bug")
    task = Script(iter([True, problem, True]))

    assert run(task) == [problem]
    assert task.finished == []


def test_one_that_waits_is_woken() -> None:
    task = Script(iter([False, True]))
    worker = worker_of(task)

    with running(worker, on_crash=lambda _: None):
        assert task.idling.wait(30)
        while not task.done:
            worker.wake.set()

    assert task.finished == [1]


def test_a_stop_from_another_thread_ends_a_long_wait() -> None:
    worker = worker_of(Script(iter([])))
    thread = threading.Thread(target=worker.run)
    thread.start()

    worker.stop()
    thread.join(30)

    assert not thread.is_alive()


def test_a_locked_database_at_the_end_is_no_crash(caplog: pytest.LogCaptureFixture) -> None:
    class Late(Script):
        def finish(self) -> None:
            raise Locked("database is locked")

    assert run(Late(iter([]))) == []
    assert "stopped with work left" in caplog.messages


def test_the_pauses_between_tries_stay_short() -> None:
    assert LONGEST_RETRY_SECONDS < 4  # a leader has to renew its lease within that time
