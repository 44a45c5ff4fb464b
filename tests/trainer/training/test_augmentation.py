"""Views of an image, and where its boxes are in them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.training import augmentation
from trainer.training.augmentation import AugmentedImage, Box

PATH = Path("a.jpg")

WHOLE: Box = ("gun", 0.25, 0.5, 0.5, 0.25)


@pytest.mark.parametrize(
    ("variant", "seen"),
    [
        pytest.param(AugmentedImage(PATH), (0.25, 0.5, 0.5, 0.25), id="as taken"),
        pytest.param(AugmentedImage(PATH, 0.25, 0.5, 0.5, 0.5), (0.0, 0.0, 1.0, 0.5), id="a part that holds it"),
        pytest.param(AugmentedImage(PATH, 0.0, 0.0, 0.5, 1.0), (0.5, 0.5, 0.5, 0.25), id="a part that cuts it in half"),
        pytest.param(
            AugmentedImage(PATH, 0.0, 0.0, 0.5, 1.0, mirrored=True), (0.0, 0.5, 0.5, 0.25), id="cut and mirrored"
        ),
        pytest.param(AugmentedImage(PATH, 0.0, 0.0, 0.4, 1.0), None, id="a part that cuts most of it away"),
        pytest.param(AugmentedImage(PATH, 0.0, 0.0, 1.0, 0.4), None, id="a part that does not show it"),
    ],
)
def test_boxes_move_with_the_view(variant: AugmentedImage, seen: tuple[float, ...] | None) -> None:
    found = variant.boxes((WHOLE,))

    assert [box[0] for box in found] == (["gun"] if seen else [])
    if seen:
        np.testing.assert_allclose(found[0][1:], seen, atol=1e-9)


@given(st.integers(0, 2**31), st.floats(0.05, 1.0))
def test_a_drawn_part_lies_inside_and_is_large_enough(seed: int, least: float) -> None:
    variant = augmentation.random_crop(PATH, np.random.default_rng(seed), min_area=least)

    assert variant.left >= 0
    assert variant.top >= 0
    assert variant.left + variant.width <= 1 + 1e-9
    assert variant.top + variant.height <= 1 + 1e-9
    assert variant.width * variant.height >= 0.8 * least
    assert variant.tint > 0


@given(
    st.integers(0, 2**31),
    st.tuples(st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0.01, 1.0), st.floats(0.01, 1.0)),
    st.floats(0.3, 3.0),
)
def test_a_close_look_shows_what_it_looks_at(
    seed: int, sides: tuple[float, float, float, float], proportions: float
) -> None:
    left, top, width, height = sides
    box: Box = ("person", left, top, min(width, 1 - left), min(height, 1 - top))

    variant = augmentation.crop_around(PATH, box, np.random.default_rng(seed), proportions=proportions)

    assert -1e-9 <= variant.left <= variant.left + variant.width <= 1 + 1e-9
    assert -1e-9 <= variant.top <= variant.top + variant.height <= 1 + 1e-9
    assert len(variant.boxes((box,))) == 1
