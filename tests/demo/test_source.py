"""What the demo looks at."""

from pathlib import Path

import cv2
import pytest

from demo import fire_scene, source, words
from demo.errors import Stuck


def test_the_rendered_film_is_one_that_plays_for_as_long_as_it_says(tmp_path: Path) -> None:
    chosen = source.rendered(tmp_path, words.ENGLISH)

    film = cv2.VideoCapture(chosen.camera["path"])
    assert film.read()[0]
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == fire_scene.SECONDS * fire_scene.RATE
    assert not chosen.live


def test_the_yard_is_calm_at_first_and_bright_with_fire_later() -> None:
    yard = fire_scene.background()
    calm, burning = (fire_scene.frame(yard, seconds) for seconds in (0.0, 12.0))

    assert (calm[..., 2] > 250).mean() < 0.001
    assert (burning[..., 2] > 250).mean() > 0.02


def test_a_clip_of_the_users_is_played_at_its_own_pace(tmp_path: Path) -> None:
    clip = tmp_path / "film.mp4"
    clip.touch()

    chosen = source.clip(clip)

    assert chosen.camera == {"kind": "replay", "path": str(clip), "pace": "real", "stream": "clip"}
    assert not chosen.live


def test_a_clip_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Stuck, match=r"film\.mp4 is not there: name a video file"):
        source.clip(tmp_path / "film.mp4")


def test_a_machine_without_a_camera_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(Stuck, match="no camera is found on this machine"):
        source.camera(words.ENGLISH, tmp_path)
