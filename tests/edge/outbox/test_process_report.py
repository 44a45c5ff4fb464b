"""Notes of the processes: one for each camera, read as one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.status import CameraCondition, CameraState, Condition, Stage
from edge.errors import CameraGone
from edge.outbox import process_report
from edge.outbox.outbox import Outbox
from edge.outbox.process_report import LOOK, NOTHING, Report

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.sqlite", 10) as made:
        yield made


def name(stream: str) -> str:
    return process_report.name(stream, is_one_of_several=True)


def test_the_only_camera_reports_as_ever(box: Outbox) -> None:
    process_report.leave(box, process_report.name("cam-0", is_one_of_several=False), Report(model="m", frames=3))

    assert process_report.read(box, LOOK) == Report(model="m", frames=3)


def test_the_notes_of_several_cameras_are_read_as_one(box: Outbox) -> None:
    covered = CameraCondition("cam-1", Condition.COVERED, NOON)
    process_report.leave(
        box,
        name("cam-0"),
        Report(
            model="m", stages=(Stage("encode", 10, 12),), frames=5, captions=2, latest=NOON, sentence_ms=10, invoke_ms=8
        ),
    )
    process_report.leave(
        box,
        name("cam-1"),
        Report(
            stages=(Stage("encode", 20, 30), Stage("decode", 1, 2)),
            frames=4,
            captions=1,
            conditions=(covered,),
            latest=NOON + timedelta(seconds=1),
            sentence_ms=20,
            invoke_ms=12,
        ),
    )

    assert process_report.read(box, LOOK) == Report(
        model="m",
        stages=(Stage("encode", 20, 30), Stage("decode", 1, 2)),
        frames=9,
        captions=3,
        conditions=(covered,),
        latest=NOON + timedelta(seconds=1),
        sentence_ms=15,
        invoke_ms=10,
        cameras=(CameraState("cam-0", 5, 2), CameraState("cam-1", 4, 1)),
    )


def test_a_camera_that_is_gone_is_named_and_the_reason_begins_as_ever(box: Outbox) -> None:
    process_report.leave(box, name("cam-0"), Report(frames=5))
    process_report.leave(box, name("cam-1"), process_report.camera_gone("m", CameraGone("/dev/video2: " + "x" * 200)))

    read = process_report.read(box, LOOK)

    assert read.reason.startswith("camera gone: cam-1: /dev/video2: x")
    assert len(read.reason) <= process_report.MAX_REASON
    assert [bool(camera.reason) for camera in read.cameras] == [False, True]


def test_a_camera_that_the_device_no_longer_has_is_forgotten(box: Outbox) -> None:
    for known in (LOOK, name("cam-0"), name("cam-1"), name("cam-2")):
        process_report.leave(box, known, Report(model=known))

    process_report.forget_all_but(box, ["cam-0", "cam-1"])
    assert [camera.stream for camera in process_report.read(box, LOOK).cameras] == ["cam-0", "cam-1"]

    process_report.forget_all_but(box, ["cam-0"])
    assert process_report.read(box, LOOK) == NOTHING


def test_a_note_that_is_none_is_refused_whichever_camera_it_is_of(box: Outbox) -> None:
    process_report.leave(box, name("cam-0"), Report(frames=5))
    box.report(name("cam-1"), b"{")

    assert process_report.refuse_unreadable(box, LOOK)
    assert not process_report.refuse_unreadable(box, LOOK)
    assert [camera.stream for camera in process_report.read(box, LOOK).cameras] == ["cam-0"]
