"""Watching with a memory: a bundle that weighs evidence, played from pictures, into a real outbox."""

import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from contract import bundle, caption
from contract.caption import Caption, Hazard
from contract.thresholds import Raised, Thresholds
from edge import config
from edge.infer.captioner import Captioner
from edge.look.bundle.port import OneBundle
from edge.look.camera_port import Frame
from edge.look.capture_loop import Look
from edge.look.event import Eye
from edge.look.memory import calm_file
from edge.look.memory.camera_memory import CameraMemory
from edge.look.wall_clock import WallClock
from edge.outbox import process_report, raised_thresholds
from edge.outbox.outbox import Outbox
from tests.edge import pictures
from tests.edge.pictures import BLUE, RED

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
EYE = Eye("lab", "dev-1", "cam-0", "tiny@0.1.0", "en")
PER_SECOND = 5


class Film:
    """A camera that gives plain pictures, five a second."""

    def __init__(self, *scenes: tuple[tuple[int, int, int], float]) -> None:
        self._colours = iter([colour for colour, seconds in scenes for _ in range(round(seconds * PER_SECOND))])
        self._number = 0

    def read(self) -> Frame | None:
        colour = next(self._colours, None)
        if colour is None:
            return None
        at = self._number / PER_SECOND
        self._number += 1
        return Frame(pictures.plain(colour)[..., ::-1].copy(), BEGIN + timedelta(seconds=at), at, 1000.0)

    def close(self) -> None:
        """Nothing to let go."""


@pytest.fixture(scope="module")
def weighing(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Captioner:
    """The tiny bundle, which takes much red for a fire; the thresholds leave room for evidence that is not extreme."""
    copy = shutil.copytree(tiny, tmp_path_factory.mktemp("weighing") / "bundle")
    bundle.write(copy, replace(bundle.load(copy), evidence={"fire": 0.9995, "gun": 0.9995, "knife": 0.9995}))
    return Captioner.open(copy)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.sqlite", 1000) as made:
        yield made


def watch(film: Film, captioner: Captioner, box: Outbox) -> list[Caption]:
    Look(
        film,
        captioner,
        box,
        EYE,
        config.Gate(),
        crops=config.Crops(),
        remember=lambda manifest: CameraMemory.open(box.path, manifest, EYE.stream, now=BEGIN, now_seconds=0.0),
        bundles=OneBundle(),
        fallback=None,
        on_work=lambda: None,
        on_progress=lambda: None,
        wall_clock=WallClock(lambda: BEGIN, lambda: 0.0, BEGIN),
        started_at=0.0,
        now=lambda: BEGIN,
    ).run(threading.Event())
    return [caption.decode(found.payload) for found in box.waiting(limit=1000)]


def fire(event: Caption) -> Hazard:
    return next(hazard for hazard in event.hazards if hazard.term == "fire")


def ongoing(events: list[Caption]) -> list[bool]:
    return [any(hazard.probability >= 0.5 for hazard in event.hazards) for event in events]


def test_a_fire_is_told_within_three_seconds_with_all_that_is_known_of_it(weighing: Captioner, box: Outbox) -> None:
    events = watch(Film((BLUE, 4), (RED, 6)), weighing, box)

    told = next(event for event in events if any(ongoing([event])))

    assert timedelta(seconds=4) < told.captured_at - BEGIN <= timedelta(seconds=7)
    assert "fire" in told.text.split()
    assert fire(told).since == told.captured_at
    assert (fire(told).evidence or 0.0) > 0.5


def test_a_picture_that_shows_a_fire_for_a_moment_is_never_told(weighing: Captioner, box: Outbox) -> None:
    events = watch(Film((BLUE, 4), (RED, 0.4), (BLUE, 8)), weighing, box)

    assert not any(ongoing(events))
    assert not any("fire" in event.text.split() for event in events)


def test_a_fire_that_flickers_begins_once(weighing: Captioner, box: Outbox) -> None:
    flicker = [((RED if number % 3 else BLUE), 0.4) for number in range(60)]

    stood = ongoing(watch(Film((BLUE, 4), *flicker), weighing, box))

    assert stood == [False] * stood.count(False) + [True] * stood.count(True)
    assert stood.count(True) > 10


def test_a_fire_that_is_over_is_told_to_be_over(weighing: Captioner, box: Outbox) -> None:
    events = watch(Film((RED, 10), (BLUE, 30)), weighing, box)

    stood = ongoing(events)

    assert stood.count(True) > 0
    assert stood[-1] is False
    assert events[-1].captured_at - BEGIN < timedelta(seconds=20)
    assert all(hazard.since is None for hazard in events[-1].hazards)


def test_what_people_called_a_false_alarm_is_no_alarm_again(weighing: Captioner, box: Outbox) -> None:
    evidence = fire(watch(Film((RED, 6)), weighing, box)[-1]).evidence
    assert evidence is not None
    raised = Raised("cam-0", "fire", evidence, BEGIN + timedelta(days=1))
    raised_thresholds.leave(box, Thresholds(site="lab", device="dev-1", at=BEGIN, raised=(raised,)))
    seen = len(box.waiting(limit=1000))

    again = watch(Film((RED, 6)), weighing, box)[seen:]

    assert not any(ongoing(again))


def test_what_was_learnt_stays_beside_the_outbox_and_goes_into_the_note(weighing: Captioner, box: Outbox) -> None:
    watch(Film((BLUE, 900)), weighing, box)

    note = process_report.read(box, process_report.LOOK)

    assert calm_file.path_beside(box.path).is_file()
    assert note.calm is not None
    assert 500 < note.calm.seconds < 700
    assert [one.danger for one in note.calm.thresholds] == ["fire", "gun", "knife"]
