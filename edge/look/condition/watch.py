"""Decides which conditions a camera is in, from the measures of its pictures one after another.

A condition begins when it was seen for as long as its patience, counted down again by every picture without it, and
ends when that count has come back to nothing. Times are seconds on the camera's own clock.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from contract.status import Condition
from edge.look.condition import focus, measure, stillness
from edge.look.condition.focus import Grey
from edge.look.condition.measure import Measures, View
from edge.look.condition.stillness import Spots

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

FILLED: Final = 0.25
SMEARED: Final = 0.25
"""Shares of the picture, without data or drawn on from the row above, from which it is corrupt."""

BLOCK_EDGES: Final = 3.0
BLOCK_RATIO: Final = 1.3
"""Grey levels at the edges of blocks, and ratio to those between, from which blocks stand where they do not belong:
calm film has at most 2.3 and 1.2, whatever its compression."""

GUESSED_EDGES: Final = 1.5
GUESSED_RATIO: Final = 1.08
"""The same of a picture that the decoder says it guessed some of: most such pictures show the scene all the same."""

BARE_SHARE: Final = 0.35
LOST_VIEW: Final = 0.45
"""Share of this camera's usual structure, and likeness to its usual view, below both of which something close hides it:
weather and light leave a likeness of at least 0.55."""

BLURRED: Final = 0.165
"""Sharpness below which a picture of any camera is defocused; without noise, every scene has 0.25 or more."""

BLURRED_SHARE: Final = 0.6
BLURRED_AT_MOST: Final = 0.2
"""Share of this camera's usual sharpness below which it is defocused too, and the largest limit that this leads to."""

UNMATCHED: Final = 0.1
"""Sharpness below which two pictures do not match: a mast in the wind. Of those that do, none has less than 0.12."""

SHARPER: Final = 0.01
"""By so much more sharpness it is not defocused any more."""

LEAST_CONTRAST: Final = 2.0
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

    def interrupt(self) -> None:
        """Begin anew with a condition that has not begun yet: one picture without it disproves it."""
        if not self.stands:
            self.seconds, self.since = 0.0, None


@dataclass(slots=True)
class ConditionWatch:
    """What is known of one camera's picture."""

    _counts: dict[Condition, _Count] = field(default_factory=lambda: {name: _Count() for name in PATIENCE_SECONDS})
    _at: float | None = None
    _still: Spots | None = None
    _grey: Grey | None = None
    _shows_nothing: bool = False
    _sharpness: float | None = None
    _structure: float | None = None
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
        """Whether the camera shows nothing that anything may be said of, for a while or in its last picture."""
        return self._shows_nothing or any(self._counts[name].stands for name in HIDES_VIEW)

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
        is_still, before, self._grey = self._is_still(found.spots), self._grey, found.grey
        hidden = _hidden(found)
        self._shows_nothing = hidden is not None
        if hidden is not None:
            return {hidden}
        if self._is_covered(found):
            return {Condition.COVERED}
        seen = {Condition.FROZEN} if is_still else set()
        pair = focus.measure(found.grey if before is None else before, found.grey)
        if pair.contrast < LEAST_CONTRAST:
            return seen
        if self._is_defocused(pair.sharpness, step):
            return {*seen, Condition.DEFOCUSED}
        return {*seen, Condition.MOVED} if self._has_moved(found, at, step) else seen

    def _is_still(self, spots: Spots) -> bool:
        """Compare a picture with the first that it may be the same as; any other one is the first of the next."""
        is_still = self._still is not None and stillness.is_still(self._still, spots)
        if not is_still:
            self._still = spots
            self._counts[Condition.FROZEN].interrupt()
        return is_still

    def _is_covered(self, found: Measures) -> bool:
        """Whether something close to the lens has taken the place of what this camera usually shows."""
        if self._usual is None or self._structure is None or found.structure >= BARE_SHARE * self._structure:
            return False
        return measure.likeness(found.view, self._usual) < LOST_VIEW

    def _is_defocused(self, sharpness: float, step: float) -> bool:
        """Compare the sharpness with its limit and, where it is above, let the usual one follow."""
        if sharpness < UNMATCHED:
            return False
        usual = self._sharpness
        limit = BLURRED if usual is None else max(BLURRED, min(BLURRED_AT_MOST, BLURRED_SHARE * usual))
        hysteresis = SHARPER if self._counts[Condition.DEFOCUSED].stands else 0.0
        if sharpness < limit + hysteresis:
            return True
        learnt = min(1.0, step / LEARNING_SECONDS)
        self._sharpness = sharpness if usual is None else usual + (sharpness - usual) * learnt
        return False

    def _has_moved(self, found: Measures, at: float, step: float) -> bool:
        """Compare a view with the usual one, and let that follow; a view that never stays does not count."""
        view, before, self._before = found.view, self._before, found.view
        if self._usual is None or self._structure is None:
            self._usual, self._structure = view, found.structure
            return False
        likeness = measure.likeness(view, self._usual)
        if likeness >= SAME_VIEW:
            learnt = min(1.0, step / LEARNING_SECONDS)
            self._usual = self._usual + (view - self._usual) * learnt
            self._structure += (found.structure - self._structure) * learnt
        if likeness >= OTHER_VIEW or before is None or measure.likeness(view, before) < SAME_VIEW:
            self._moved_at = None if likeness >= OTHER_VIEW else self._moved_at
            return False
        self._moved_at = at if self._moved_at is None else self._moved_at
        if at - self._moved_at < ACCEPT_SECONDS:
            return True
        self._usual, self._structure, self._moved_at = view, found.structure, None
        return False


def _hidden(found: Measures) -> Condition | None:
    """Return why a picture, in itself, shows nothing that anything may be said of."""
    damaged = found.damage
    edges, ratio = (GUESSED_EDGES, GUESSED_RATIO) if damaged.is_guessed else (BLOCK_EDGES, BLOCK_RATIO)
    has_blocks = damaged.block_edges >= edges and damaged.block_ratio >= ratio
    if damaged.filled >= FILLED or damaged.smeared >= SMEARED or has_blocks:
        return Condition.CORRUPT
    if found.is_dark:
        return Condition.DARK
    return Condition.COVERED if found.is_blank else None
