"""Lights: each kind can be told from the picture it was made of, burns out or greys it, and is drawn alike again."""

import numpy as np
import pytest

from trainer.hazards import lights
from trainer.hazards.bad_pictures import Bad

PICTURE = np.tile(np.linspace(20, 140, 96).astype(np.uint8)[:, None, None], (1, 128, 3))
PICTURE[..., 2] = 90


def made(kind: str, seed: int) -> Bad:
    return lights.KINDS[kind][0](PICTURE, np.random.default_rng(seed))


@pytest.mark.parametrize("kind", lights.KINDS)
def test_every_kind_changes_the_picture_and_keeps_its_shape(kind: str) -> None:
    for seed in range(8):
        found, level = made(kind, seed)

        assert found.shape == PICTURE.shape
        assert found.dtype == np.uint8
        assert 0 <= level <= 1
        assert np.abs(found.astype(int) - PICTURE).mean() > 2


@pytest.mark.parametrize("kind", ["lamps", "headlights"])
def test_a_lamp_burns_a_part_of_the_picture_out(kind: str) -> None:
    assert all((made(kind, seed)[0].max(axis=2) == 255).any() for seed in range(8))


def test_infrared_is_grey() -> None:
    found, _ = made("night_sight", 1)

    assert (found == found[..., :1]).all()


def test_fog_takes_contrast_away() -> None:
    assert all(made("plain_fog", seed)[0].std() < PICTURE.std() for seed in range(8))


def test_the_same_draw_gives_the_same_picture() -> None:
    one, other = (lights.drawn(PICTURE, np.random.default_rng(5)) for _ in range(2))

    assert (one[0] == other[0]).all()
    assert one[1:] == other[1:]
