"""Replay: real films and folders in place of a camera."""

import logging
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import config
from edge.errors import Misconfigured
from edge.look.camera import replay
from edge.look.camera_port import Frame
from tests.edge import pictures
from tests.edge.look.camera import matroska


class Time:
    """A clock that only sleeping and working move on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


def play(
    settings: config.Replay, time: Time | None = None, *, work: Callable[[], object] = lambda: None, limit: int = 999
) -> list[Frame]:
    """Return up to `limit` frames, doing some work after each."""
    time = time or Time()
    path = settings.path
    film = replay.Folder(path, settings.looks_per_second) if path.is_dir() else replay.VideoFile(path)
    camera = replay.Replay(film, settings, sleep=time.pass_by, clock=time)
    frames: list[Frame] = []
    while len(frames) < limit and (frame := camera.read()) is not None:
        frames.append(frame)
        work()
    camera.close()
    return frames


def settings(path: Path, pace: str = "fast", looks: float = 5.0, *, loop: bool = False) -> config.Replay:
    return config.Replay(path=path, pace=pace, looks_per_second=looks, loop=loop)  # type: ignore[arg-type]


def test_a_film_is_looked_at_as_often_as_asked() -> None:
    frames = play(settings(pictures.bikes(), looks=5))

    assert len(frames) == 50
    assert [frame.at for frame in frames[:4]] == pytest.approx([0, 0.2, 0.4, 0.6])
    assert frames[0].bgr.shape == (272, 640, 3)
    assert not np.array_equal(frames[0].bgr, frames[25].bgr)


def test_the_bytes_of_all_frames_are_the_bytes_of_the_film() -> None:
    film = pictures.bikes()

    every = play(settings(film, looks=25))
    some = play(settings(film, looks=5))

    assert len(every) == 250
    assert sum(frame.video_bytes for frame in every) == pytest.approx(film.stat().st_size)
    assert sum(frame.video_bytes for frame in some) == pytest.approx(film.stat().st_size * 246 / 250)


def test_at_real_pace_a_film_takes_its_time() -> None:
    time = Time()

    play(settings(pictures.bikes(), pace="real"), time)

    assert time.now == pytest.approx(100 + 49 / 5)


def test_a_slow_device_leaves_frames_out_to_keep_the_films_time() -> None:
    time = Time()

    frames = play(settings(pictures.bikes(), pace="real"), time, work=lambda: time.pass_by(0.5))

    assert len(frames) == pytest.approx(20, abs=2)
    assert time.now == pytest.approx(110, abs=0.6)
    assert frames[-1].at == pytest.approx(9.6, abs=0.5)


def test_played_fast_no_frame_is_left_out() -> None:
    time = Time()

    assert len(play(settings(pictures.bikes()), time, work=lambda: time.pass_by(5))) == 50


def test_a_loop_begins_again_and_its_clock_goes_on(frames: Path) -> None:
    seen = play(settings(frames, looks=2, loop=True), limit=14)

    assert [frame.at for frame in seen] == pytest.approx([number / 2 for number in range(14)])
    assert np.array_equal(seen[0].bgr, seen[6].bgr)
    assert np.array_equal(seen[1].bgr, seen[13].bgr)


def test_a_folders_pictures_come_in_the_order_of_their_names(frames: Path) -> None:
    seen = play(settings(frames))

    assert [frame.bgr[0, 0].tolist() for frame in seen[:3]] == [
        [*reversed(pictures.RED)],
        [*reversed(pictures.GREEN)],
        [*reversed(pictures.BLUE)],
    ]
    assert sum(frame.video_bytes for frame in seen) == sum(file.stat().st_size for file in frames.iterdir())


def test_a_broken_picture_is_left_out_and_named(frames: Path, caplog: pytest.LogCaptureFixture) -> None:
    (frames / "0002.png").write_bytes(b"broken")

    with caplog.at_level(logging.WARNING):
        seen = play(settings(frames))

    assert len(seen) == 5
    assert "0002.png: not a picture" in caplog.records[0].__dict__["reason"]


def test_a_folder_of_broken_pictures_alone_ends_the_replay(frames: Path) -> None:
    for file in frames.iterdir():
        file.write_bytes(b"broken")

    with pytest.raises(Misconfigured, match="frames: not one frame of it can be decoded"):
        play(settings(frames, loop=True))


def test_a_clip_that_ends_early_is_played_as_far_as_it_goes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = tmp_path / "whole.avi"
    writer = cv2.VideoWriter(str(whole), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for number in range(30):
        writer.write(np.full((48, 64, 3), number * 8, np.uint8))
    writer.release()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 4 // 5])

    with caplog.at_level(logging.WARNING):
        seen = play(settings(cut, looks=10))

    assert 5 < len(seen) < 30
    assert caplog.records[0].getMessage() == "clip ends early"
    assert caplog.records[0].__dict__["frame"] == len(seen)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "no such file or folder; set `camera.path`"),
        (lambda path: path.write_bytes(b"not a film at all" * 100), "not a video that can be played"),
        (lambda path: path.write_bytes(pictures.bikes().read_bytes()[:5000]), "not a video that can be played"),
        (lambda path: path.mkdir(), "no picture in this folder"),
    ],
    ids=["missing", "text", "cut to its header", "empty folder"],
)
def test_what_cannot_be_played_is_named(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    path = tmp_path / "clip.mp4"
    make(path)

    with pytest.raises(Misconfigured, match=f"clip.mp4: {said}"):
        replay.open_camera(settings(path), lambda seconds: None)


def test_each_frame_of_a_film_of_varying_rate_has_its_own_time(tmp_path: Path) -> None:
    times = [0, 40, 80, 120, 500, 1500, 1510, 1520, 3000, 3040, 3080, 6000, 6200]
    film = replay.VideoFile(matroska.write(tmp_path / "call.mkv", times))

    shots = [(round(1000 * shot.at), shot.picture()) for shot in film.play()]

    assert [at for at, _ in shots] == times
    brightness = [int(picture[0, 0, 0]) for _, picture in shots if picture is not None]
    assert brightness == pytest.approx([8 * number for number in range(len(times))], abs=2)


def test_a_film_of_varying_rate_is_looked_at_by_its_times(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = matroska.write(tmp_path / "call.mkv", [0, 40, 80, 1000, 1040, 4000, 4500, 4600])
    camera = replay.open_camera(config.Replay(path=path, pace="fast", looks_per_second=2.0), lambda _: None)

    found = [round(1000 * frame.at) for frame in iter(camera.read, None)]

    assert found == [0, 1000, 4000, 4500]
    assert "clip ends early" not in caplog.text
