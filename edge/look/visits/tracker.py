"""Tracker: which boxes of one look are the people of the look before.

Two-stage association as in ByteTrack (Zhang et al., arXiv:2110.06864): sure boxes are matched first, and unsure ones
only to people who are known already. Boxes are widened before they are compared (C-BIoU, arXiv:2211.14317), because a
person moves by more than a body's width between two looks of half a second. Times are seconds on the camera's clock,
lengths shares of the frame.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from edge.infer.detection import Detection

SURE: Final = 0.45
"""Least score of a box that may begin a track; the detector reports boxes from 0.3 on."""

LEAST: Final = 0.3
"""Least score of a box that may continue one."""

WIDENED: Final = 0.5
"""By so much of its width and height a box is widened on each side before it is compared."""

MATCH: Final = 0.2
"""Least intersection over union of two widened boxes of one person."""

SAME_OVERLAP: Final = 0.3
SAME_INSIDE: Final = 0.7
"""Intersection over union, and share of the smaller box, above which two boxes of one look are one person."""

CONFIRM_LOOKS: Final = 3
CONFIRM_SECONDS: Final = 1.0
"""A track is a person once it was seen so often over so long: a box that flickers never is."""

GONE_LOOKS: Final = 4
GONE_SECONDS: Final = 3.0
"""A person is gone after so many looks in a row without a box, over so long: who walks behind a pillar comes back."""

TENTATIVE_LOOKS: Final = 2
"""Looks in a row without a box after which what was never confirmed is forgotten."""

SMOOTHING: Final = 0.5
"""Weight of the newest box in a track's size and speed."""

MAX_SPEED: Final = 0.4
"""Shares of the frame a second that anyone moves at most."""

EDGE: Final = 1 - 1e-6
"""How near to the right and the lower edge of the frame feet may be: a zone that reaches the edge holds them."""

MAX_TRACKS: Final = 32
"""People followed at once."""


@dataclass(slots=True)
class Track:
    """One person, or what may become one."""

    number: int
    """Counts tracks from 1."""
    began_at: float
    """When it was first seen."""
    seen_at: float
    """When it was last seen."""
    x: float
    """Centre of its box."""
    y: float
    """Centre of its box."""
    w: float
    h: float
    score: float
    """The surest box so far."""
    dx: float = 0.0
    dy: float = 0.0
    """Speed of the centre, in shares of the frame a second."""
    looks: int = 1
    """Looks in which it was seen."""
    missed: int = 0
    """Looks in a row without it."""
    missed_since: float = 0.0
    """When the first of these was."""
    is_confirmed: bool = False

    def foot(self) -> tuple[float, float]:
        """Return where this person stands: the middle of the lower edge, inside the frame."""
        return min(EDGE, max(0.0, self.x)), min(EDGE, max(0.0, self.y + self.h / 2))


@dataclass(slots=True)
class Tracker:
    """The people of one camera."""

    tracks: list[Track] = field(default_factory=list)
    """All that are followed now, confirmed or not, the oldest first."""
    _next: int = 1

    def look(self, boxes: Sequence[Detection], at: float) -> tuple[list[Track], list[Track]]:
        """Follow people into the boxes of a look at `at`; return those who have just been confirmed, and who are gone.

        `boxes` are all of one class.
        """
        found = distinct(boxes)
        known = sorted(self.tracks, key=lambda track: (not track.is_confirmed, track.number))
        left, unseen = _match(known, [box for box in found if box.score >= SURE], at)
        _, unseen = _match(unseen, [box for box in found if LEAST <= box.score < SURE], at)
        for track in unseen:
            track.missed_since = track.missed_since if track.missed else at
            track.missed += 1
        self.tracks += self._begin(left, at)
        confirmed = [track for track in self.tracks if not track.is_confirmed and _is_person(track)]
        for track in confirmed:
            track.is_confirmed = True
        gone = [track for track in self.tracks if _is_gone(track, at)]
        self.tracks = [track for track in self.tracks if track not in gone]
        return confirmed, [track for track in gone if track.is_confirmed]

    @property
    def people(self) -> list[Track]:
        """The confirmed ones."""
        return [track for track in self.tracks if track.is_confirmed]

    @property
    def is_unsettled(self) -> bool:
        """Whether the next look may confirm somebody, or find somebody gone."""
        return any(track.missed or not track.is_confirmed for track in self.tracks)

    def _begin(self, boxes: Sequence[Detection], at: float) -> list[Track]:
        begun = []
        for box in boxes[: MAX_TRACKS - len(self.tracks)]:
            x, y = box.x + box.w / 2, box.y + box.h / 2
            begun.append(Track(self._next, at, at, x, y, box.w, box.h, box.score))
            self._next += 1
        return begun


def distinct(boxes: Sequence[Detection]) -> list[Detection]:
    """Return one box of each person, the surest first."""
    kept: list[Detection] = []
    for box in sorted(boxes, key=lambda box: -box.score):
        if box.score >= LEAST and not any(_is_same(box, other) for other in kept):
            kept.append(box)
    return kept


def _match(tracks: Sequence[Track], boxes: Sequence[Detection], at: float) -> tuple[list[Detection], list[Track]]:
    """Give each track its most alike box, the most alike pair first; return the boxes and the tracks left over."""
    pairs = [(_likeness(track, box, at), track, box) for track in tracks for box in boxes]
    pairs.sort(key=lambda pair: (not pair[1].is_confirmed, -pair[0]))
    taken: list[Detection] = []
    moved: list[Track] = []
    for likeness, track, box in pairs:
        if likeness >= MATCH and not any(track is one for one in moved) and not any(box is one for one in taken):
            _move(track, box, at)
            taken.append(box)
            moved.append(track)
    return (
        [box for box in boxes if not any(box is one for one in taken)],
        [track for track in tracks if not any(track is one for one in moved)],
    )


def _likeness(track: Track, box: Detection, at: float) -> float:
    """Return the intersection over union of a box and where a track should be by now, both widened."""
    ahead = min(at - track.seen_at, GONE_SECONDS)
    x, y = track.x + track.dx * ahead, track.y + track.dy * ahead
    grown = 1 + 2 * WIDENED
    one = (x - track.w * grown / 2, y - track.h * grown / 2, track.w * grown, track.h * grown)
    middle = box.x + box.w / 2, box.y + box.h / 2
    other = (middle[0] - box.w * grown / 2, middle[1] - box.h * grown / 2, box.w * grown, box.h * grown)
    common = _common(one, other)
    return common / (one[2] * one[3] + other[2] * other[3] - common)


def _move(track: Track, box: Detection, at: float) -> None:
    x, y, passed = box.x + box.w / 2, box.y + box.h / 2, at - track.seen_at
    if passed > 0:
        dx, dy = _bounded((x - track.x) / passed), _bounded((y - track.y) / passed)
        track.dx += SMOOTHING * (dx - track.dx)
        track.dy += SMOOTHING * (dy - track.dy)
    track.x, track.y = x, y
    track.w += SMOOTHING * (box.w - track.w)
    track.h += SMOOTHING * (box.h - track.h)
    track.score = max(track.score, box.score)
    track.seen_at, track.missed = at, 0
    track.looks += 1


def _bounded(speed: float) -> float:
    return math.copysign(min(abs(speed), MAX_SPEED), speed)


def _is_person(track: Track) -> bool:
    return track.looks >= CONFIRM_LOOKS and track.seen_at - track.began_at >= CONFIRM_SECONDS


def _is_gone(track: Track, at: float) -> bool:
    if not track.is_confirmed:
        return track.missed >= TENTATIVE_LOOKS
    return track.missed >= GONE_LOOKS and at - track.missed_since >= GONE_SECONDS


def _is_same(one: Detection, other: Detection) -> bool:
    common = _common((one.x, one.y, one.w, one.h), (other.x, other.y, other.w, other.h))
    areas = one.w * one.h, other.w * other.h
    return common > SAME_INSIDE * min(areas) or common > SAME_OVERLAP * (sum(areas) - common)


def _common(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(0.0, wide) * max(0.0, high)
