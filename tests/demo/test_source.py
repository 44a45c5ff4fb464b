"""What the demo looks at."""

from pathlib import Path

import cv2
import pytest

from demo import source, words
from demo.errors import Stuck


def test_the_packaged_clip_is_a_film_that_plays() -> None:
    film = cv2.VideoCapture(str(source.packaged_clip()))

    assert film.read()[0]


def test_a_clip_of_the_users_goes_before_everything_else(tmp_path: Path) -> None:
    clip = tmp_path / "film.mp4"
    clip.touch()

    chosen = source.choose(clip, words.ENGLISH)

    assert chosen.camera == {"kind": "replay", "path": str(clip), "pace": "real", "stream": "clip"}
    assert not chosen.live


def test_a_clip_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Stuck, match=r"film\.mp4 is not there: name a video file"):
        source.choose(tmp_path / "film.mp4", words.ENGLISH)


@pytest.mark.parametrize("device", ["/dev/null", "/dev/no-camera", "/etc/passwd"])
def test_what_is_no_camera_has_no_name(device: str) -> None:
    assert source.camera_name(Path(device)) is None
