"""Draws bars as SVG without a script or a style of its own: colours come from the page's sheet, dark or light."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 720
HEIGHT: Final = 220
LEFT: Final = 52
BOTTOM: Final = 26
TOP: Final = 12
"""Units of the drawing; the page scales it."""

MOST_NAMES: Final = 9
"""Names below the bars: more run into each other on a phone."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar."""

    x: float
    y: float
    width: float
    height: float
    series: int
    words: str
    """The tooltip, which a screen reader reads out too."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A word at an axis."""

    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing, ready for the template."""

    parts: tuple[Part, ...]
    names: tuple[Mark, ...]
    levels: tuple[Mark, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, and the height of each of its parts from the bottom up, in the chart's unit."""

    name: str
    values: Sequence[float]
    words: Sequence[str]


def bars(found: Sequence[Bar], *, unit: str = "") -> Chart:
    """Draw bars side by side, from zero, to a round number above the highest."""
    top = ceiling(max((sum(bar.values) for bar in found), default=0))
    step = (WIDTH - LEFT) / max(1, len(found))
    room = HEIGHT - TOP - BOTTOM
    parts: list[Part] = []
    for number, bar in enumerate(found):
        base = float(HEIGHT - BOTTOM)
        for series, (value, words) in enumerate(zip(bar.values, bar.words, strict=True)):
            height = room * value / top
            base -= height
            parts.append(
                Part(_r(LEFT + step * number + step * 0.1), _r(base), _r(step * 0.8), _r(height), series, words)
            )
    every = -(-len(found) // MOST_NAMES) or 1
    names = [
        Mark(_r(LEFT + step * (number + 0.5)), HEIGHT - 8, bar.name)
        for number, bar in enumerate(found)
        if number % every == 0
    ]
    levels = [Mark(LEFT - 6, _r(HEIGHT - BOTTOM - room * share), f"{top * share:g}{unit}") for share in (0, 0.5, 1)]
    return Chart(tuple(part for part in parts if part.height > 0), tuple(names), tuple(levels))


def ceiling(value: float) -> float:
    """Return the least of 1, 2, 4, 10, 20, 40 … that is not below a value."""
    top = 1.0
    while True:
        for factor in (1, 2, 4):
            if value <= top * factor:
                return top * factor
        top *= 10


def _r(value: float) -> float:
    return round(value, 2)
