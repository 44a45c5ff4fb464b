"""Frames through memory: whole, the newest, and believed no further than they can be."""

import os
import struct
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import TryAgain
from edge.look.camera.frame_reader import FrameReader
from edge.look.camera.frame_ring import FrameWriter, PullState
from edge.look.camera_port import Frame

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC)


def frame(brightness: int, *, height: int = 48, width: int = 64, at: float = 1.5, video_bytes: float = 10.0) -> Frame:
    return Frame(np.full((height, width, 3), brightness, np.uint8), NOON, at, video_bytes)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cam-0.frames"


def test_a_frame_arrives_as_it_was_handed_over(file: Path) -> None:
    writer, reader = FrameWriter(file), FrameReader(file)
    picture = np.random.default_rng(1).integers(0, 256, (35, 57, 3), np.uint8)
    writer.write(Frame(picture, NOON, 1.5, 99.0))

    found = reader.newest()

    assert found is not None
    assert (found.captured_at, found.at, found.video_bytes) == (NOON, 1.5, 99.0)
    assert (found.bgr == picture).all()
    assert reader.newest() is None, "each frame once"


def test_of_several_frames_the_newest_is_read_and_no_video_byte_is_lost(file: Path) -> None:
    writer, reader = FrameWriter(file), FrameReader(file)
    for brightness in range(1, 6):
        writer.write(frame(brightness))

    found = reader.newest()

    assert found is not None
    assert found.bgr[0, 0, 0] == 5
    assert found.video_bytes == 50.0


def test_a_larger_picture_than_before_arrives_too(file: Path) -> None:
    writer, reader = FrameWriter(file), FrameReader(file)
    writer.write(frame(1))
    reader.newest()
    writer.write(frame(2, height=480, width=640))

    found = reader.newest()

    assert found is not None
    assert found.bgr.shape == (480, 640, 3)
    assert found.bgr.max() == found.bgr.min() == 2


def test_a_reader_goes_on_with_the_next_writer(file: Path) -> None:
    reader, writer = FrameReader(file), FrameWriter(file)
    for brightness in range(1, 9):
        writer.write(frame(brightness))
    reader.newest()
    writer.close()
    assert reader.state()[0] is PullState.STOPPED

    writer = FrameWriter(file)
    assert reader.newest() is None
    writer.write(frame(77))
    found = reader.newest()

    assert found is not None
    assert found.bgr[0, 0, 0] == 77


def test_a_reader_finds_the_file_that_took_the_place_of_another(file: Path) -> None:
    writer, reader = FrameWriter(file), FrameReader(file)
    writer.write(frame(1))
    reader.newest()
    file.unlink()
    FrameWriter(file).write(frame(2))

    assert reader.newest() is None
    assert reader.state()[0] is PullState.STREAMING
    assert reader.newest() is not None


def test_no_picture_stays_when_the_writer_ends(file: Path) -> None:
    writer = FrameWriter(file)
    writer.write(frame(222))
    writer.close()

    assert bytes([222] * 100) not in file.read_bytes()


def test_two_writers_of_one_camera_are_one_too_many(file: Path) -> None:
    first = FrameWriter(file)

    with pytest.raises(TryAgain, match="another `pull` is at work"):
        FrameWriter(file)
    first.close()


def test_a_file_that_is_not_there_holds_no_frame(file: Path) -> None:
    reader = FrameReader(file)

    assert reader.newest() is None
    assert reader.state() == (None, 0.0)


def test_a_frame_that_is_overwritten_while_it_is_read_is_not_taken(file: Path) -> None:
    writer, reader = FrameWriter(file), FrameReader(file)
    writer.write(frame(1))
    with file.open("r+b") as raw:
        raw.seek(4096 + 4096)  # the second slot begins after the first one's page and pixels
    slot = 4096 + 1 * (4096 + -(-48 * 64 * 3 // 4096) * 4096)
    with file.open("r+b") as raw:
        raw.seek(slot)
        raw.write(struct.pack("<Q", 3))  # the writer is at the frame after the next

    assert reader.newest() is None


@given(st.binary(max_size=48), st.binary(max_size=48), st.integers(0, 20_000))
def test_whatever_a_taken_over_writer_writes_the_reader_lives(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, slot: bytes, size: int
) -> None:
    file = tmp_path_factory.mktemp("ring") / "cam-0.frames"
    writer, reader = FrameWriter(file), FrameReader(file)
    writer.write(frame(1))
    handle = os.open(file, os.O_RDWR)
    os.pwrite(handle, head, 8)
    os.pwrite(handle, slot, 4096)
    os.pwrite(handle, slot, 4096 + 4096 + 12288)
    os.ftruncate(handle, size)
    os.close(handle)

    found = reader.newest()
    reader.state()

    assert found is None or found.captured_at.year <= 2200
    reader.close()
