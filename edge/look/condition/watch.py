"""Decides which conditions a camera is in, from the measures of its pictures one after another.

A condition begins when it was seen for as long as its patience, counted down again by every picture without it, and
ends when that count has come back to nothing. Times are seconds on the camera's own clock.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from contract.status import Condition
from edge.look.condition import measure
from edge.look.condition.measure import Measures, View

EVERY_SECONDS: Final = 1.0
"""Time between two pictures that are measured."""

LONGEST_STEP_SECONDS: Final = 5.0
"""So much one picture counts at most: after a pause nobody knows what was there in between."""

PATIENCE_SECONDS: Final[dict[Condition, float]] = {
    Condition.CORRUPT: 10.0,
    Condition.DARK: 60.0,
    Condition.COVERED: 15.0,
    Condition.FROZEN: 300.0,
    Condition.DEFOCUSED: 30.0,
    Condition.MOVED: 120.0,
}
"""The conditions, the worst first, and how long each is seen before it begins."""

RECOVERY_SECONDS: Final = 30.0
"""A condition ends at latest after it was not seen for so long."""

HIDES_VIEW: Final = frozenset({Condition.CORRUPT, Condition.DARK, Condition.COVERED})
"""Conditions in which a picture shows nothing, whatever a model says of it."""

UNDECODED: Final = 0.25
"""Share of the picture without data from which it is corrupt."""

BLURRED: Final = 0.155
"""Sharpness below which a picture of any camera is defocused."""

BLURRED_SHARE: Final = 0.5
BLURRED_AT_MOST: Final = 0.2
"""Share of this camera's usual sharpness below which it is defocused too, and the largest limit that this leads to."""

CRISP: Final = 8.0
"""Crispness from which no picture is defocused, however little texture it has: a drawing, a bare room."""

SHARPER: Final = 0.01
"""By so much more sharpness it is not defocused any more."""

LEAST_CONTRAST: Final = 3.0
"""Contrast below which neither blur nor another view shows."""

OTHER_VIEW: Final = 0.15
SAME_VIEW: Final = 0.3
"""Likeness below which a camera shows another view, and above which it shows its usual one. Any light and noise leave
at least 0.55; half of all cameras that were turned by a tenth of their view are below 0.07."""

LEARNING_SECONDS: Final = 600.0
"""Time over which the usual view follows slow changes."""

ACCEPT_SECONDS: Final = 3600.0
"""A camera that shows its new view for so long keeps it: the condition has been seen by then, or was meant."""


@dataclass(slots=True)
class _Count:
    """One condition's count."""

    seconds: float = 0.0
    stands: bool = False
    since: datetime | None = None


@dataclass(slots=True)
class ConditionWatch:
    """What is known of one camera's picture."""

    _counts: dict[Condition, _Count] = field(default_factory=lambda: {name: _Count() for name in PATIENCE_SECONDS})
    _at: float | None = None
    _digest: int | None = None
    _sharpness: float | None = None
    _usual: View | None = None
    _before: View | None = None
    _moved_at: float | None = None

    def is_due(self, at: float) -> bool:
        """Whether the picture taken at `at` is to be measured."""
        return self._at is None or not 0 <= at - self._at < EVERY_SECONDS

    def look(self, found: Measures, at: float, captured_at: datetime) -> bool:
        """Count what a picture measures; return whether a condition has begun or ended."""
        step = 0.0 if self._at is None else min(max(0.0, at - self._at), LONGEST_STEP_SECONDS)
        self._at = at
        seen = self._seen(found, at, step)
        changed = [name for name in PATIENCE_SECONDS if self._count(name, name in seen, step, captured_at)]
        return bool(changed)

    @property
    def active(self) -> tuple[tuple[Condition, datetime], ...]:
        """Return the conditions that stand and since when, the worst first."""
        return tuple((name, count.since) for name, count in self._counts.items() if count.stands and count.since)

    @property
    def hides_view(self) -> bool:
        """Whether the camera shows nothing that anything may be said of."""
        return any(self._counts[name].stands for name in HIDES_VIEW)

    def _count(self, name: Condition, is_seen: bool, step: float, captured_at: datetime) -> bool:
        count, patience = self._counts[name], PATIENCE_SECONDS[name]
        if is_seen:
            count.since = count.since or captured_at
            count.seconds = min(patience, count.seconds + step)
        else:
            count.seconds = max(0.0, count.seconds - step * max(1.0, patience / RECOVERY_SECONDS))
        stood = count.stands
        count.stands = count.seconds > 0 if stood else count.seconds >= patience
        if not count.seconds and not is_seen:
            count.since = None
        return stood != count.stands

    def _seen(self, found: Measures, at: float, step: float) -> set[Condition]:
        """Return what one picture shows; of a picture that hides the view no more is said."""
        is_same, self._digest = found.digest == self._digest, found.digest
        if found.undecoded >= UNDECODED:
            return {Condition.CORRUPT}
        if found.is_dark:
            return {Condition.DARK}
        if found.is_blank:
            return {Condition.COVERED}
        seen = {Condition.FROZEN} if is_same else set()
        if found.contrast < LEAST_CONTRAST:
            return seen
        if self._is_defocused(found, step):
            return {*seen, Condition.DEFOCUSED}
        return {*seen, Condition.MOVED} if self._has_moved(found.view, at, step) else seen

    def _is_defocused(self, found: Measures, step: float) -> bool:
        """Compare the sharpness with its limit and, where it is above, let the usual one follow."""
        sharpness, usual = found.sharpness, self._sharpness
        limit = BLURRED if usual is None else max(BLURRED, min(BLURRED_AT_MOST, BLURRED_SHARE * usual))
        hysteresis = SHARPER if self._counts[Condition.DEFOCUSED].stands else 0.0
        if found.crispness < CRISP and sharpness < limit + hysteresis:
            return True
        learnt = min(1.0, step / LEARNING_SECONDS)
        self._sharpness = sharpness if usual is None else usual + (sharpness - usual) * learnt
        return False

    def _has_moved(self, view: View, at: float, step: float) -> bool:
        """Compare a view with the usual one, and let that follow; a view that never stays does not count."""
        before, self._before = self._before, view
        if self._usual is None:
            self._usual = view
            return False
        likeness = measure.likeness(view, self._usual)
        if likeness >= SAME_VIEW:
            self._usual = self._usual + (view - self._usual) * min(1.0, step / LEARNING_SECONDS)
        if likeness >= OTHER_VIEW or before is None or measure.likeness(view, before) < SAME_VIEW:
            self._moved_at = None if likeness >= OTHER_VIEW else self._moved_at
            return False
        self._moved_at = at if self._moved_at is None else self._moved_at
        if at - self._moved_at < ACCEPT_SECONDS:
            return True
        self._usual, self._moved_at = view, None
        return False
