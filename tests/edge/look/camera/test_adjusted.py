"""Pictures turned, mirrored and masked before anything sees them."""

import threading
from pathlib import Path

import numpy as np
import pytest

from edge import config, service
from edge.errors import Misconfigured
from edge.infer.image import Picture
from edge.look.camera import adjusted
from tests.edge import pictures
from tests.edge.conftest import Write
from tests.edge.pictures import BLUE, RED

CORNERED: Picture = np.zeros((4, 6, 3), np.uint8)
CORNERED[0, 0] = 255
"""A picture whose upper left corner is white."""


def corner(settings: config.Camera) -> tuple[tuple[int, ...], tuple[int, int]]:
    """Return the size of the adjusted picture, and where its white corner is."""
    found = adjusted.adjust(CORNERED, settings)
    row, column = np.argwhere(found[..., 0] == 255)[0].tolist()
    return found.shape[:2], (row, column)


@pytest.mark.parametrize(
    ("settings", "size", "place"),
    [
        (config.Camera(rotate=90), (6, 4), (0, 3)),
        (config.Camera(rotate=180), (4, 6), (3, 5)),
        (config.Camera(rotate=270), (6, 4), (5, 0)),
        (config.Camera(flip="horizontal"), (4, 6), (0, 5)),
        (config.Camera(flip="vertical"), (4, 6), (3, 0)),
        (config.Camera(rotate=90, flip="horizontal"), (6, 4), (0, 0)),
    ],
    ids=["90", "180", "270", "horizontal", "vertical", "turned, then mirrored"],
)
def test_a_picture_is_turned_clockwise_and_then_mirrored(
    settings: config.Camera, size: tuple[int, int], place: tuple[int, int]
) -> None:
    assert corner(settings) == (size, place)


def test_a_mask_leaves_nothing_of_what_lies_in_it_and_all_of_the_rest() -> None:
    white = np.full((100, 200, 3), 255, np.uint8)
    window = ((0.5, 0.2), (1.0, 0.2), (1.0, 0.6), (0.5, 0.6))

    found = adjusted.adjust(white, config.Camera(masks=(window,)))

    assert not found[20:59, 100:].any()
    assert (found[:, :99] == 255).all()
    assert (found[61:] == 255).all()
    assert white.all(), "the camera's own picture is not written to"


def test_a_mask_lies_on_the_picture_as_people_see_it() -> None:
    left_half = ((0.0, 0.0), (0.4, 0.0), (0.4, 1.0), (0.0, 1.0))

    found = adjusted.adjust(CORNERED, config.Camera(flip="horizontal", masks=(left_half,)))

    assert found[0, 5, 0] == 255


def test_the_configured_camera_is_masked(tmp_path: Path, write_config: Write) -> None:
    pictures.folder(tmp_path / "film", [RED, BLUE])
    everything = [[0, 0], [1, 0], [1, 1], [0, 1]]
    path = write_config(
        camera={"kind": "replay", "path": str(tmp_path / "film"), "pace": "fast", "masks": [everything]}
    )

    camera = service.open_camera(config.load(path).camera, threading.Event().wait)
    frames = list(iter(camera.read, None))

    assert [frame.bgr.max() for frame in frames] == [0, 0]


@pytest.mark.parametrize(
    ("key", "value"), [("masks", [[[0, 0], [1, 1]]]), ("masks", [[[0, 0], [1, 2], [1, 1]]]), ("rotate", 45)]
)
def test_a_mask_without_area_or_beyond_the_picture_is_refused_by_name(
    write_config: Write, key: str, value: object
) -> None:
    with pytest.raises(Misconfigured, match=rf"camera\.{key}"):
        config.load(write_config(camera={"kind": "v4l2", key: value}))


def test_a_picture_that_is_too_large_is_shrunk_and_another_is_not() -> None:
    large = np.full((2160, 3840, 3), 7, np.uint8)
    tall = np.full((1280, 720, 3), 7, np.uint8)

    assert adjusted.adjust(large, config.V4l2()).shape == (1080, 1920, 3)
    assert adjusted.adjust(large, config.V4l2(rotate=90, max_side=960)).shape == (960, 540, 3)
    assert adjusted.adjust(tall, config.V4l2()) is tall
