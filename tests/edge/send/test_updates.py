"""Updates in the process that sends: when the one that fetches is started, and what becomes of a new model."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from contract import caption, examples
from contract.update import Offer, Progress, Reason, Update
from edge.outbox import model_update
from edge.outbox.outbox import Outbox
from edge.outbox.recovery import open_outbox
from edge.send.updates import MAX_RETRY_SECONDS, STEP_SECONDS, Updates
from edge.update.outcome import MIN_CAPTIONS, PROBATION_SECONDS, Running

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TARGET = "standard/wordcam-1-1.1.0.tar"
OLD, NEW = "wordcam-1@1.0.0", "wordcam-1@1.1.0"


@dataclass
class FakeChild:
    """A process that ends when the test says so."""

    code: int | None = None
    killed: bool = False

    def poll(self) -> int | None:
        return self.code

    def kill(self) -> None:
        self.killed, self.code = True, -9

    def wait(self) -> int:
        return self.code or 0


@dataclass
class FakeInstalled:
    """Bundles in place, of which only the way back is asked."""

    returns: int = 0

    def switch_back(self) -> None:
        self.returns += 1


@dataclass
class Bench:
    """Updates with a clock that the test moves."""

    outbox: Outbox
    seconds: float = 0.0
    children: list[FakeChild] = field(default_factory=list)
    installed: FakeInstalled = field(default_factory=FakeInstalled)
    running: Running = field(default_factory=lambda: Running(OLD))

    def __post_init__(self) -> None:
        self.updates = self.again()

    def again(self) -> Updates:
        """Start the process anew."""
        return Updates(
            self.outbox,
            "standard",
            self.start,
            self.installed,
            chance=lambda: 0.0,
            clock=lambda: self.seconds,
            now=lambda: NOON + timedelta(seconds=self.seconds),
        )

    def start(self) -> FakeChild:
        self.children.append(FakeChild())
        return self.children[-1]

    def offer(self, target: str | None) -> None:
        self.updates.take_offer(Offer(site="lab", device="dev-1", at=NOON, target=target))

    def turn(self, seconds: float = 1.0) -> Update:
        self.seconds += seconds
        self.updates.turn(lambda: self.running)
        return self.updates.progress

    def ended(self, progress: Progress, reason: Reason | None = None, code: int = 0) -> Update:
        """Let the process that fetches report and end."""
        at = NOON + timedelta(seconds=self.seconds)
        model_update.leave_progress(self.outbox, Update(progress=progress, target=TARGET, reason=reason, at=at))
        self.children[-1].code = code
        return self.turn()

    def captions(self, model: str, count: int, dangers: int) -> None:
        for number in range(count):
            said = msgspec.structs.replace(examples.CAPTION, model=model)
            self.updates.count(caption.encode(said), danger=number < dangers)

    def in_use(self) -> None:
        """Bring a new model into use."""
        self.offer(TARGET)
        self.turn()
        self.ended(Progress.TESTING)
        self.running = Running(NEW)
        self.turn()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_outbox(tmp_path / "outbox.sqlite", 100, 1 << 20) as outbox:
        yield Bench(outbox)


def test_an_offer_starts_the_process_that_fetches_once(bench: Bench) -> None:
    bench.offer(TARGET)
    bench.turn()
    bench.offer(TARGET)
    bench.turn()

    assert len(bench.children) == 1


def test_an_offer_is_remembered_over_a_power_cut(bench: Bench) -> None:
    bench.offer(TARGET)
    bench.updates = bench.again()
    bench.turn()

    assert len(bench.children) == 1


def test_without_an_offer_nothing_is_fetched(bench: Bench) -> None:
    bench.offer(None)

    assert bench.turn().progress is Progress.IDLE
    assert bench.children == []


def test_an_offer_that_is_withdrawn_ends_the_process_that_fetches(bench: Bench) -> None:
    bench.offer(TARGET)
    bench.turn()
    model_update.leave_progress(bench.outbox, Update(progress=Progress.DOWNLOADING, target=TARGET))

    bench.offer(None)

    assert bench.children[0].killed
    assert bench.turn().progress is Progress.IDLE


def test_what_is_away_is_tried_again_after_longer_and_longer_waits(bench: Bench) -> None:
    bench.offer(TARGET)
    bench.turn()
    waits = []
    for _ in range(9):
        bench.ended(Progress.WAITING, Reason.UNREACHABLE)
        begun, started = bench.seconds, len(bench.children)
        while len(bench.children) == started:
            bench.turn(10)
        waits.append(bench.seconds - begun)

    assert waits == sorted(waits)
    assert waits[-1] <= MAX_RETRY_SECONDS + 10


@pytest.mark.parametrize("reason", [Reason.NOT_A_BUNDLE, Reason.DEVICE_CLASS, Reason.OLDER_MODEL])
def test_what_speaks_against_the_package_is_not_tried_again(reason: Reason, bench: Bench) -> None:
    bench.offer(TARGET)
    bench.turn()
    bench.ended(Progress.REFUSED, reason)

    bench.turn(10 * MAX_RETRY_SECONDS)

    assert len(bench.children) == 1


@pytest.mark.parametrize("reason", [Reason.SIGNATURE, Reason.EXPIRED, Reason.ALTERED])
def test_what_speaks_against_the_way_is_tried_again(reason: Reason, bench: Bench) -> None:
    bench.offer(TARGET)
    bench.turn()
    bench.ended(Progress.REFUSED, reason)

    bench.turn(MAX_RETRY_SECONDS)

    assert len(bench.children) == 2


def test_a_try_that_never_ends_is_ended(bench: Bench) -> None:
    bench.offer(TARGET)
    bench.turn()

    said = bench.turn(STEP_SECONDS)

    assert bench.children[0].killed
    assert (said.progress, said.reason) == (Progress.WAITING, Reason.TOO_SLOW)


def test_a_process_that_dies_is_worth_another_try(bench: Bench) -> None:
    bench.offer(TARGET)
    bench.turn()

    said = bench.ended(Progress.DOWNLOADING, code=-11)

    assert (said.progress, said.reason) == (Progress.WAITING, Reason.UNREACHABLE)
    bench.turn(MAX_RETRY_SECONDS)
    assert len(bench.children) == 2


def test_a_model_that_does_well_has_proved_itself(bench: Bench) -> None:
    bench.in_use()
    bench.captions(OLD, 100, dangers=2)
    bench.captions(NEW, 100, dangers=3)
    assert bench.turn().progress is Progress.TESTING

    assert bench.turn(PROBATION_SECONDS).progress is Progress.RUNNING
    assert bench.installed.returns == 0


def test_a_bundle_that_fails_the_self_test_is_refused(bench: Bench) -> None:
    bench.offer(TARGET)
    bench.turn()
    bench.ended(Progress.TESTING)
    bench.running = Running(OLD, f"{NEW}: self-test: ended by signal 11", NOON + timedelta(hours=1))

    said = bench.turn()

    assert (said.progress, said.reason) == (Progress.REFUSED, Reason.SELF_TEST)
    assert "signal 11" in said.detail
    assert bench.installed.returns == 1


def test_a_model_with_which_the_process_ends_again_and_again_is_taken_back(bench: Bench) -> None:
    bench.in_use()
    bench.running = Running(OLD, f"{NEW}: the process ended 3 times with it", NOON + timedelta(hours=1))

    said = bench.turn()

    assert (said.progress, said.reason) == (Progress.ROLLED_BACK, Reason.CRASH)
    assert bench.installed.returns == 1


def test_a_model_that_writes_sentences_and_crashes_again_and_again_is_taken_back(bench: Bench) -> None:
    bench.in_use()
    for start in range(3):
        bench.running = Running(NEW, started=NOON + timedelta(minutes=start))
        assert bench.turn().progress is Progress.TESTING

    bench.running = Running(NEW, started=NOON + timedelta(minutes=3))
    said = bench.turn()

    assert (said.progress, said.reason) == (Progress.ROLLED_BACK, Reason.CRASH)
    assert bench.installed.returns == 1


def test_the_time_in_use_of_one_model_is_not_that_of_the_next(bench: Bench) -> None:
    bench.in_use()
    target = "standard/wordcam-1-1.2.0.tar"
    bench.offer(target)
    bench.turn()
    at = NOON + timedelta(seconds=bench.seconds)
    model_update.leave_progress(bench.outbox, Update(progress=Progress.TESTING, target=target, at=at))
    bench.running = Running(NEW, "wordcam-1@1.2.0: self-test: no answer", at)

    said = bench.turn()

    assert (said.progress, said.reason) == (Progress.REFUSED, Reason.SELF_TEST)


def test_a_model_that_sees_danger_where_there_was_calm_is_taken_back(bench: Bench) -> None:
    bench.in_use()
    bench.captions(OLD, 100, dangers=2)
    bench.captions(NEW, 30, dangers=20)

    said = bench.turn()

    assert (said.progress, said.reason) == (Progress.ROLLED_BACK, Reason.CAPTIONS)
    assert said.detail == "67% of 30 captions speak of danger, 2% before"


def test_a_few_true_dangers_take_nothing_back(bench: Bench) -> None:
    bench.in_use()
    bench.captions(NEW, MIN_CAPTIONS - 1, dangers=MIN_CAPTIONS - 1)

    assert bench.turn().progress is Progress.TESTING


def test_why_an_earlier_bundle_was_not_used_says_nothing_of_this_one(bench: Bench) -> None:
    bench.running = Running(OLD, "manifest.json: missing", NOON - timedelta(hours=1))
    bench.offer(TARGET)
    bench.turn()

    assert bench.ended(Progress.TESTING).progress is Progress.TESTING


def test_what_was_taken_back_is_not_tried_again(bench: Bench) -> None:
    bench.in_use()
    bench.running = Running(OLD, f"{NEW}: the process ended 3 times with it", NOON + timedelta(hours=1))
    bench.turn()

    bench.turn(10 * MAX_RETRY_SECONDS)

    assert len(bench.children) == 1


def test_another_package_is_tried_after_one_that_was_taken_back(bench: Bench) -> None:
    bench.in_use()
    bench.running = Running(OLD, f"{NEW}: the process ended 3 times with it", NOON + timedelta(hours=1))
    bench.turn()

    bench.offer("standard/wordcam-1-1.2.0.tar")
    bench.turn()

    assert len(bench.children) == 2


def test_a_start_that_fails_is_worth_another_try(tmp_path: Path) -> None:
    def none() -> FakeChild:
        raise OSError("no memory")

    start: Callable[[], FakeChild] = none
    with open_outbox(tmp_path / "outbox.sqlite", 100, 1 << 20) as outbox:
        bench = Bench(outbox)
        bench.updates = Updates(
            outbox, "standard", start, bench.installed, chance=lambda: 0.0, clock=lambda: bench.seconds
        )
        bench.offer(TARGET)

        assert bench.turn().progress is Progress.IDLE
