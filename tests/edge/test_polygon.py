"""Polygons: what is an area, and what lies in it."""

import pytest

from edge import polygon

SQUARE = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
HOOK = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.6, 1.0), (0.6, 0.4), (0.0, 0.4))


def test_an_area_has_no_problem() -> None:
    assert polygon.problem(SQUARE) == polygon.problem(HOOK) == ""


@pytest.mark.parametrize(
    ("corners", "said"),
    [
        (((0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8)), "its outline crosses itself after corner 1"),
        (((0.2, 0.2), (0.5, 0.5), (0.8, 0.8)), "its corners lie on a line"),
        (((0.2, 0.2), (0.21, 0.2), (0.2, 0.21)), "its corners lie on a line or too near"),
        (((0.2, 0.2), (0.2, 0.2), (0.8, 0.8)), "corner 1 stands twice at 0.2, 0.2"),
        (((20.0, 20.0), (80.0, 20.0), (80.0, 80.0), (20.0, 20.0)), "corner 4 stands twice at 20, 20"),
    ],
)
def test_what_is_no_area_is_explained(corners: tuple[tuple[float, float], ...], said: str) -> None:
    assert polygon.problem(corners).startswith(said)


@pytest.mark.parametrize(
    ("point", "inside"),
    [((0.5, 0.2), True), ((0.8, 0.7), True), ((0.3, 0.7), False), ((0.1, 0.1), True), ((0.7, 1.1), False)],
)
def test_a_point_lies_in_an_area_that_is_not_convex(point: tuple[float, float], inside: bool) -> None:
    assert polygon.contains(HOOK, point) is inside
