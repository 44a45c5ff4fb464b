"""What is too dark to show anything, and what is not."""

import numpy as np
import pytest

from edge.infer.image import Picture
from edge.look import visibility

DAY: Picture = np.random.default_rng(1).integers(20, 240, (256, 256, 3)).astype(np.uint8)


def dimmed(share: float, noise: float = 3.0) -> Picture:
    grain = np.random.default_rng(2).normal(0, noise, DAY.shape)
    return np.clip(DAY * share + grain, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("picture", [np.zeros_like(DAY), dimmed(0.02), dimmed(0.05)], ids=["covered", "dark", "night"])
def test_a_picture_of_the_dark_shows_nothing(picture: Picture) -> None:
    assert visibility.is_dark(picture)


@pytest.mark.parametrize("share", [1.0, 0.3, 0.15])
def test_dusk_and_day_are_seen(share: float) -> None:
    assert not visibility.is_dark(dimmed(share))


def test_a_flame_in_the_dark_is_seen() -> None:
    picture = dimmed(0.02)
    picture[100:130, 100:130] = (255, 140, 20)

    assert not visibility.is_dark(picture)


def test_hot_pixels_show_nothing() -> None:
    picture = dimmed(0.02)
    picture[::64, ::64] = 255

    assert visibility.is_dark(picture)


@pytest.mark.parametrize("level", [40, 128, 255])
def test_a_picture_that_is_grey_all_over_shows_nothing(level: int) -> None:
    assert visibility.is_blank(np.full_like(DAY, level))


def test_a_sensor_blinded_by_an_infrared_lamp_shows_nothing() -> None:
    picture = DAY.copy()
    picture[:, :200] = 255

    assert visibility.is_blank(picture)


@pytest.mark.parametrize("share", [1.0, 0.3, 0.15])
def test_a_picture_with_content_is_not_blank(share: float) -> None:
    assert not visibility.is_blank(dimmed(share))


def test_a_wall_of_one_colour_is_not_blank() -> None:
    assert not visibility.is_blank(np.full_like(DAY, (220, 30, 30)))
