"""Movement: a head that tells clips of a struggle from clips of people who walk, at places that it has not seen."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.look.movement.movement import log_likelihood
from trainer.hazards import movement
from trainer.hazards.pictures import Picture
from trainer.hazards.recipe import Movement as Settings

CLIPS = 8


def film(path: Path, seed: int, *, struggle: bool) -> None:
    """Write two seconds of a room in which two blocks shake, or walk one way."""
    room = cv2.resize(np.random.default_rng(seed).integers(0, 90, (9, 16, 3)).astype(np.uint8), (320, 180))
    draw = np.random.default_rng(seed + 100)
    out = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 180))
    block = draw.integers(100, 255, (60, 40, 3)).astype(np.uint8)
    for number in range(20):
        picture = room.copy()
        for x in (100, 150):
            shift = draw.integers(-12, 13, 2) if struggle else (0, 2 * number)
            picture[60 + shift[0] : 120 + shift[0], x + shift[1] : x + 40 + shift[1]] = block
        out.write(picture)
    out.release()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Picture]:
    folder, found = tmp_path_factory.mktemp("clips"), []
    for number in range(2 * CLIPS):
        path, struggle = folder / f"{number}.avi", number % 2 == 0
        film(path, number, struggle=struggle)
        found.append(Picture(f"clips/train/{number}", path, "train", "clips", "fight" if struggle else "none"))
    return found


def test_a_struggle_is_told_from_a_walk_at_places_that_were_not_seen(clips: list[Picture]) -> None:
    places = {clip.key: f"place/{number // 2}" for number, clip in enumerate(clips)}

    learnt = movement.learn("fight", clips, places, Settings(penalty=1.0))

    assert learnt is not None
    head, found = learnt
    assert (found.clips, found.calm_clips) == (CLIPS, CLIPS)
    assert found.area > 0.9
    struggle, walk = (np.mean([log_likelihood(head, one) for one in movement.windows_of(clip)]) for clip in clips[:2])
    assert struggle > 0 > walk


def test_without_clips_of_a_danger_there_is_no_head(clips: list[Picture]) -> None:
    assert movement.learn("fire", clips, {}, Settings()) is None
