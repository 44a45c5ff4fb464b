"""Polygons in shares of a picture: whether one is an area, and what lies in it."""

from collections.abc import Sequence
from typing import Final

Point = tuple[float, float]
"""Shares of width and height, from the upper left."""

LEAST_AREA: Final = 0.0005
"""Share of the picture; a zone of 17 x 17 pixels in 720p is smaller than anyone's shoes."""


def problem(corners: Sequence[Point]) -> str:
    """Say why corners make no area; "" where they do."""
    sides = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    for number, (begin, end) in enumerate(sides):
        if begin == end:
            return f"corner {number + 1} stands twice at {begin[0]:g}, {begin[1]:g}; write each corner once"
    for number, one in enumerate(sides):
        for other in sides[number + 2 :]:
            if (number, other) != (0, sides[-1]) and _cross(one, other):
                return f"its outline crosses itself after corner {number + 1}; write them in order around the area"
    if _area(sides) < LEAST_AREA:
        return "its corners lie on a line or too near to one another; corners are shares of the picture, 0 to 1"
    return ""


def contains(corners: Sequence[Point], point: Point) -> bool:
    """Say whether a point lies in an area, by how often a line to the right crosses its outline."""
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
    return inside


def _area(sides: Sequence[tuple[Point, Point]]) -> float:
    """Return the area by Gauss's formula."""
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in sides)) / 2


def _cross(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    return _turn(*one, other[0]) * _turn(*one, other[1]) < 0 and _turn(*other, one[0]) * _turn(*other, one[1]) < 0


def _turn(begin: Point, end: Point, point: Point) -> float:
    """Return on which side of a line a point lies: above 0, below 0, or on it."""
    return (end[0] - begin[0]) * (point[1] - begin[1]) - (end[1] - begin[1]) * (point[0] - begin[0])
