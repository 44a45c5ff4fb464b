"""Whether someone who stood a moment ago does so no more: a fall, told by a change of posture, not by one picture.

The detector finds people who stand, and often nobody in who lies. So a fall is someone upright in whose place, within
two seconds, nobody reaches as high. Someone who leaves at the frame's edge has not fallen. Lengths are shares of the
frame, 0 to 1; x and y are a box's left and top edge.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edge.infer.detection import Detection

STEEP: Final = 1.5
"""Height by width, in pixels, from which someone stands."""

LEAST_HEIGHT: Final = 0.3
"""Height from which someone who falls differs from someone who goes behind another."""

LEAST_SCORE: Final = 0.4
"""Score of a box that shows someone standing."""

FIRST_SECONDS: Final = 0.3
LAST_SECONDS: Final = 2.6
"""Seconds within which someone upright has to be gone."""

LOWERED: Final = 0.35
"""Share of the height upright by which a head is lower after a fall."""

AS_TALL: Final = 0.55
"""Share of the height upright that someone who still stands has."""

REACH: Final = 0.5
REACH_PER_SECOND: Final = 0.6
"""Heights upright within which the same person may be found, and more for every second of walking."""

FLAT: Final = 1.4
"""Height by width, in pixels, below which someone sits or lies."""

EDGE: Final = 0.04
"""Distance from the frame's sides at which someone leaves."""

LONGEST_SECONDS: Final = 30.0
"""Time after which a fall that nobody got up from says no more than the picture does."""


@dataclass(frozen=True, slots=True)
class Upright:
    """Someone who stood at a time."""

    at: float
    box: Detection


class Posture:
    """Who stood lately at one camera, and whether someone fell. Times are seconds on the camera's clock."""

    def __init__(self) -> None:
        self._stood: deque[Upright] = deque(maxlen=64)
        self._fallen: Upright | None = None
        self._fell_at = 0.0

    def look(self, people: Sequence[Detection], aspect: float, at: float) -> bool:
        """Take the people of a look, and say whether someone has fallen and not got up.

        `aspect` is the frame's height by its width.
        """
        if self._fallen is not None and self._is_over(self._fallen, people, aspect, at):
            self._fallen = None
        while self._stood and not 0 <= at - self._stood[0].at <= LAST_SECONDS:
            self._stood.popleft()
        if self._fallen is None:
            gone = [stood for stood in self._stood if _is_gone(stood, people, aspect, at)]
            self._fallen = max(gone, key=lambda stood: stood.box.h, default=None)
            self._fell_at = at
        if self._fallen is None:
            self._stood.extend(Upright(at, box) for box in people if _stands(box, aspect))
        return self._fallen is not None

    def _is_over(self, fallen: Upright, people: Sequence[Detection], aspect: float, at: float) -> bool:
        """Say whether someone stands there again, or too much time has passed."""
        if not 0 <= at - self._fell_at <= LONGEST_SECONDS:
            return True
        return _is_there(fallen.box, people, (REACH + REACH_PER_SECOND / 2) * fallen.box.h * aspect)


def _stands(box: Detection, aspect: float) -> bool:
    return box.h * aspect >= STEEP * box.w and box.h >= LEAST_HEIGHT and box.score >= LEAST_SCORE


def _is_gone(stood: Upright, people: Sequence[Detection], aspect: float, at: float) -> bool:
    """Say whether nobody as tall is near where someone stood, though nobody left."""
    age, box = at - stood.at, stood.box
    if age < FIRST_SECONDS or _is_there(box, people, (REACH + REACH_PER_SECOND * age) * box.h * aspect):
        return False
    inside = box.x >= EDGE and box.x + box.w <= 1 - EDGE
    return inside or any(_lies(found, box, aspect) for found in people)


def _is_there(box: Detection, people: Sequence[Detection], reach: float) -> bool:
    return any(
        abs(_middle(found) - _middle(box)) <= reach
        and found.y <= box.y + LOWERED * box.h
        and found.h >= AS_TALL * box.h
        for found in people
    )


def _lies(found: Detection, box: Detection, aspect: float) -> bool:
    """Say whether a box is low and flat, where someone stood."""
    near = abs(_middle(found) - _middle(box)) <= max(0.6 * box.h * aspect, box.w)
    return near and found.y >= box.y + LOWERED * box.h and found.h * aspect < FLAT * found.w


def _middle(box: Detection) -> float:
    return box.x + box.w / 2
