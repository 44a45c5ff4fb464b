"""What bad cameras make of a picture."""

import numpy as np
import pytest

from trainer.hazards import bad_pictures


@pytest.mark.parametrize("kind", list(bad_pictures.KINDS))
def test_each_kind_changes_a_picture_and_says_how_much(kind: str) -> None:
    picture = np.random.default_rng(1).integers(40, 220, (60, 80, 3)).astype(np.uint8)

    found, level = bad_pictures.KINDS[kind][0](picture, np.random.default_rng(2))

    assert found.dtype == np.uint8
    assert sorted(found.shape) == sorted(picture.shape)
    assert found.shape != picture.shape or not np.array_equal(found, picture)
    assert 0 <= level <= 1


def test_infrared_has_no_colour() -> None:
    found, _ = bad_pictures.infrared(np.full((20, 30, 3), (20, 90, 200), np.uint8), np.random.default_rng(1))
    assert np.array_equal(found[..., 0], found[..., 2])


def test_the_same_draws_make_the_same_picture() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (40, 40, 3)).astype(np.uint8)
    first, second = (bad_pictures.drawn(picture, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first[0], second[0])
    assert first[1:] == second[1:]
