"""Looking: a camera played from memory, a real bundle and a real outbox."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from contract import bundle, caption
from contract.status import Condition, Fallback
from edge import config
from edge.errors import CameraGone
from edge.infer.captioner import Captioner
from edge.look.bundle import port
from edge.look.bundle.port import OneBundle
from edge.look.camera_port import Frame
from edge.look.capture_loop import Look
from edge.look.event import Eye
from edge.look.gate import Reason
from edge.look.memory.camera_memory import CameraMemory
from edge.look.wall_clock import WallClock
from edge.outbox import arming, process_report
from edge.outbox.outbox import Outbox
from tests.edge import pictures
from tests.edge.pictures import BLUE, RED

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ONE = OneBundle()
EYE = Eye("lab", "dev-1", "cam-0", "tiny@0.1.0", "en")


class Film:
    """A camera that gives plain pictures half a second apart, and then ends or fails."""

    def __init__(self, colours: list[tuple[int, int, int]], end: CameraGone | None = None) -> None:
        self._frames = iter(
            Frame(
                pictures.plain(colour)[..., ::-1].copy(),
                BEGIN + timedelta(seconds=number / 2),
                number / 2,
                1000.0,
            )
            for number, colour in enumerate(colours)
        )
        self._end = end

    def read(self) -> Frame | None:
        frame = next(self._frames, None)
        if frame is None and self._end is not None:
            raise self._end
        return frame

    def close(self) -> None:
        """Nothing to let go."""


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.sqlite", 100) as made:
        yield made


@pytest.fixture(scope="module")
def captioner(tiny: Path) -> Captioner:
    return Captioner.open(tiny)


def watch(
    film: Film, captioner: Captioner, box: Outbox, bundles: port.Bundles = ONE, *, can_be_disarmed: bool = False
) -> Look:
    return Look(
        film,
        captioner,
        box,
        EYE,
        config.Gate(),
        crops=config.Crops(),
        remember=lambda manifest: CameraMemory.open(box.path, manifest, EYE.stream, now=BEGIN, now_seconds=0.0),
        bundles=bundles,
        fallback=None,
        on_work=lambda: None,
        on_progress=lambda: None,
        wall_clock=WallClock(lambda: BEGIN, lambda: 0.0, BEGIN),
        started_at=0.0,
        can_be_disarmed=can_be_disarmed,
        now=lambda: BEGIN + timedelta(hours=1),
    )


def written(box: Outbox) -> list[caption.Caption]:
    return [caption.decode(found.payload) for found in box.waiting(limit=100)]


def test_what_happens_is_written_down_once_and_when_it_happened(captioner: Captioner, box: Outbox) -> None:
    film = Film([BLUE] * 6 + [RED] * 6)

    watch(film, captioner, box).run(threading.Event())
    events = written(box)

    assert [event.text.split()[1] for event in events] == ["man", "fire"]
    assert [event.captured_at for event in events] == [BEGIN, BEGIN + timedelta(seconds=3)]
    assert {event.time for event in events} == {BEGIN + timedelta(hours=1)}
    assert [event.seq for event in events] == [0, 1]
    assert len({event.id for event in events}) == 2


def test_the_ledger_counts_every_frame_and_the_video_it_came_in(captioner: Captioner, box: Outbox) -> None:
    watch(Film([BLUE] * 7), captioner, box).run(threading.Event())

    ledger = box.ledger()
    assert (ledger.frames, ledger.captions, ledger.video_bytes) == (7, 1, 7000)


def test_the_gate_remembers_from_frame_to_frame(captioner: Captioner, box: Outbox) -> None:
    film = Film([BLUE, RED, RED, RED, BLUE])
    look = watch(film, captioner, box)

    reasons = [look.look_at(frame) for frame in iter(film.read, None)]

    assert reasons == [Reason.FIRST, Reason.TOO_SOON, Reason.SCENE, Reason.STILL, Reason.SCENE]


def test_a_note_says_how_the_work_goes(captioner: Captioner, box: Outbox) -> None:
    watch(Film([BLUE] * 3), captioner, box).run(threading.Event())

    note = process_report.read(box, process_report.LOOK)

    assert (note.model, note.reason) == ("tiny@0.1.0", "")
    assert [stage.name for stage in note.stages] == ["wait", "gate", "encode", "detect", "weigh", "decode", "store"]
    assert note.first_caption_seconds is not None
    assert note.sentence_ms is not None
    assert note.invoke_ms is not None
    assert note.sentence_ms > note.invoke_ms > 0


def test_a_camera_that_goes_is_noted_and_what_it_saw_is_kept(captioner: Captioner, box: Outbox) -> None:
    film = Film([BLUE] * 3, CameraGone("/dev/video0: no more frames"))

    with pytest.raises(CameraGone):
        watch(film, captioner, box).run(threading.Event())

    assert process_report.read(box, process_report.LOOK).reason == "camera gone: /dev/video0: no more frames"
    assert (box.ledger().frames, len(written(box))) == (3, 1)


def test_a_stop_ends_the_watch_at_the_next_frame(captioner: Captioner, box: Outbox) -> None:
    stop = threading.Event()
    stop.set()

    watch(Film([BLUE] * 3), captioner, box).run(stop)

    assert box.ledger().frames == 0


def test_of_a_covered_camera_nothing_is_said_and_its_condition_is_reported(captioner: Captioner, box: Outbox) -> None:
    grey = (128, 128, 128)
    film = Film([BLUE] * 4 + [grey] * 200)

    watch(film, captioner, box).run(threading.Event())

    (condition,) = process_report.read(box, process_report.LOOK).conditions
    assert (condition.stream, condition.condition) == ("cam-0", Condition.CORRUPT)
    assert condition.since == BEGIN + timedelta(seconds=2)
    last = max(event.captured_at for event in written(box))
    assert last <= condition.since + timedelta(seconds=10), "no caption is overdue while the camera shows nothing"


@dataclass
class Bundles:
    """A second bundle that is ready after so many frames."""

    after: int
    second: Captioner
    asked: int = 0
    worked: int = 0
    fallbacks: tuple[Fallback, ...] = ()

    @property
    def captioner(self) -> Captioner:
        return self.second

    def take(self, *, calm: bool) -> "Bundles | None":
        self.asked += 1
        return self if self.asked == self.after + 1 else None

    def works(self) -> None:
        self.worked += 1


def test_another_bundle_is_used_from_the_next_frame_on_and_none_is_missed(
    tiny: Path, captioner: Captioner, box: Outbox
) -> None:
    contents = bundle.read(tiny)
    manifest = msgspec.structs.replace(contents.manifest, version="9.9.9")
    second = Captioner(tiny, replace(contents, manifest=manifest), threads=1, beam_width=None)
    film = Film([BLUE, BLUE, BLUE, RED, RED, RED, BLUE, BLUE, BLUE])
    bundles = Bundles(3, second)

    watch(film, captioner, box, bundles).run(threading.Event())

    assert box.ledger().frames == 9
    assert [event.model for event in written(box)] == ["tiny@0.1.0", "tiny@9.9.9", "tiny@9.9.9"]
    assert process_report.read(box, process_report.LOOK).model == "tiny@9.9.9"
    assert bundles.worked == 1


def test_a_disarmed_device_says_so_and_writes_nothing_until_it_is_armed(captioner: Captioner, box: Outbox) -> None:
    film = Film([RED] * 4)
    look = watch(film, captioner, box, can_be_disarmed=True)
    reasons = []
    with Outbox(box.path, 100) as other:  # that of the process that sends
        for armed in (True, False, False, True):
            arming.leave(other, armed=armed)
            frame = film.read()
            assert frame is not None
            reasons.append(look.look_at(frame))
            assert process_report.read(box, process_report.LOOK).armed == armed or armed

    assert reasons == [Reason.FIRST, Reason.DISARMED, Reason.DISARMED, Reason.FIRST]
    assert [event.seq for event in written(box)] == [0, 1]
    assert process_report.read(box, process_report.LOOK).armed


def test_a_device_that_nobody_may_disarm_watches_whatever_was_said_once(captioner: Captioner, box: Outbox) -> None:
    arming.leave(box, armed=False)

    watch(Film([RED]), captioner, box).run(threading.Event())

    assert len(written(box)) == 1
