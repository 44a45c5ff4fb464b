"""An LED and a buzzer, at gpiozero's own pins for tests."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from contract.status import CameraCondition, Condition
from edge import config
from edge.errors import TryAgain
from edge.outbox import process_report
from edge.outbox.outbox import Outbox
from edge.outbox.process_report import Report
from edge.signal import loop
from edge.signal.gpio import Pins
from edge.signal.state import SEEN_SECONDS, Light, Shown, Watcher
from testing.waiting import wait_until

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LED, BUZZER = 17, 27
BOTH = config.Signal(led_pin=LED, buzzer_pin=BUZZER)


@pytest.fixture
def factory() -> Iterator[MockFactory]:
    before, Device.pin_factory = Device.pin_factory, MockFactory()
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = before


def is_on(factory: MockFactory, pin: int) -> bool:
    return bool(factory.pin(pin).state)


@pytest.mark.parametrize(
    ("looked", "sent", "shown"),
    [
        (Report(frames=1), Report(), Shown(Light.STEADY, False)),
        (Report(frames=1), Report(reason="no route"), Shown(Light.SLOW, False)),
        (Report(frames=1, reason="camera gone: /dev/video0"), Report(), Shown(Light.FAST, False)),
        (Report(frames=1, dangers=("fire",)), Report(reason="no route"), Shown(Light.SLOW, True)),
        (
            Report(frames=1, conditions=(CameraCondition("cam-0", Condition.COVERED, NOON),), dangers=("fire",)),
            Report(),
            Shown(Light.FAST, False),
        ),
    ],
    ids=["well", "no server", "no camera", "a danger without a server", "covered"],
)
def test_what_is_shown_follows_from_the_notes(looked: Report, sent: Report, shown: Shown) -> None:
    assert Watcher().look(looked, sent, 0.0) == shown


def test_a_process_that_looks_no_more_is_shown_too() -> None:
    watcher = Watcher()
    watcher.look(Report(frames=9), Report(), 100.0)

    assert watcher.look(Report(frames=9), Report(), 100.0 + SEEN_SECONDS).light is Light.FAST
    assert watcher.look(Report(frames=10), Report(), 100.0 + SEEN_SECONDS).light is Light.STEADY


def test_steady_light_and_silence_while_all_is_well(factory: MockFactory) -> None:
    with Pins(BOTH) as pins:
        pins.show(Shown(Light.STEADY, False))

        assert (is_on(factory, LED), is_on(factory, BUZZER)) == (True, False)


def test_a_danger_beeps_until_it_is_over(factory: MockFactory) -> None:
    with Pins(BOTH) as pins:
        pins.show(Shown(Light.STEADY, True))
        wait_until(lambda: is_on(factory, BUZZER), "a beep")
        pins.show(Shown(Light.STEADY, False))

        assert not is_on(factory, BUZZER)


def test_light_that_blinks_goes_on_and_off(factory: MockFactory) -> None:
    with Pins(config.Signal(led_pin=LED)) as pins:
        pins.show(Shown(Light.FAST, True))
        wait_until(lambda: is_on(factory, LED), "light")
        wait_until(lambda: not is_on(factory, LED), "darkness")


def test_pins_are_dark_and_free_at_the_end(factory: MockFactory) -> None:
    for _ in range(2):
        with Pins(BOTH) as pins:
            pins.show(Shown(Light.STEADY, True))
        assert not is_on(factory, LED)


def test_a_pin_that_is_taken_is_named(factory: MockFactory) -> None:
    with Pins(BOTH), pytest.raises(TryAgain, match=r"`signal`: pin .*GPIO17.*see `led_pin`"):
        Pins(BOTH)


def test_the_notes_in_the_outbox_are_shown_until_it_stops(factory: MockFactory, tmp_path: Path) -> None:
    stop, progress = threading.Event(), threading.Semaphore(0)

    def show(pins: Pins) -> None:
        with Outbox(tmp_path / "outbox.sqlite", 10) as box:
            loop.run(box, pins, stop, on_progress=progress.release)

    with Outbox(tmp_path / "outbox.sqlite", 10) as box, Pins(BOTH) as pins:
        process_report.leave(box, process_report.LOOK, Report(frames=1, dangers=("fire",)))
        thread = threading.Thread(target=show, args=(pins,))
        thread.start()
        wait_until(lambda: is_on(factory, LED) and is_on(factory, BUZZER), "light and sound")
        stop.set()
        thread.join()

    assert progress.acquire(timeout=1)
