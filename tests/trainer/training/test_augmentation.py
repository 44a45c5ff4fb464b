"""Views of a picture, and where its boxes are in them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.training import augmentation
from trainer.training.augmentation import Box, View

PATH = Path("a.jpg")

WHOLE: Box = ("gun", 0.25, 0.5, 0.5, 0.25)


@pytest.mark.parametrize(
    ("view", "seen"),
    [
        pytest.param(View(PATH), (0.25, 0.5, 0.5, 0.25), id="as taken"),
        pytest.param(View(PATH, 0.25, 0.5, 0.5, 0.5), (0.0, 0.0, 1.0, 0.5), id="a part that holds it"),
        pytest.param(View(PATH, 0.0, 0.0, 0.5, 1.0), (0.5, 0.5, 0.5, 0.25), id="a part that cuts it in half"),
        pytest.param(View(PATH, 0.0, 0.0, 0.5, 1.0, mirrored=True), (0.0, 0.5, 0.5, 0.25), id="cut and mirrored"),
        pytest.param(View(PATH, 0.0, 0.0, 0.4, 1.0), None, id="a part that cuts most of it away"),
        pytest.param(View(PATH, 0.0, 0.0, 1.0, 0.4), None, id="a part that does not show it"),
    ],
)
def test_boxes_move_with_the_view(view: View, seen: tuple[float, ...] | None) -> None:
    found = view.boxes((WHOLE,))

    assert [box[0] for box in found] == (["gun"] if seen else [])
    if seen:
        np.testing.assert_allclose(found[0][1:], seen, atol=1e-9)


@given(st.integers(0, 2**31), st.floats(0.05, 1.0))
def test_a_drawn_part_lies_inside_and_is_large_enough(seed: int, least: float) -> None:
    view = augmentation.vary(PATH, np.random.default_rng(seed), least_area=least)

    assert view.left >= 0
    assert view.top >= 0
    assert view.left + view.width <= 1 + 1e-9
    assert view.top + view.height <= 1 + 1e-9
    assert view.width * view.height >= 0.8 * least
    assert view.tint > 0


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

    view = augmentation.near(PATH, box, np.random.default_rng(seed), proportions=proportions)

    assert -1e-9 <= view.left <= view.left + view.width <= 1 + 1e-9
    assert -1e-9 <= view.top <= view.top + view.height <= 1 + 1e-9
    assert len(view.boxes((box,))) == 1
