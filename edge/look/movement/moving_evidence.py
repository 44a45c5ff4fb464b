"""Evidence of several looks: what one picture shows, with how people moved before it, and whether somebody fell."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec

from contract.bundle import Manifest, Motion
from edge.infer.captioner import Weighed
from edge.infer.detection import Detection
from edge.infer.image import Picture
from edge.look.crops import PERSON
from edge.look.memory import reading
from edge.look.movement.movement import Movement, log_likelihood
from edge.look.movement.posture import Posture

Shape = tuple[int, ...]
"""Height and width in pixels, and what follows."""

SEEN_SECONDS: Final = 5.0
"""Time after people were last found in which movement is followed."""


class MovingEvidence:
    """What one camera's last looks add to the evidence of its pictures; nothing where the bundle has no `motion`."""

    def __init__(self, manifest: Manifest) -> None:
        self._motion = Motion() if manifest.motion is msgspec.UNSET else manifest.motion
        self._movement, self._posture = Movement(), Posture()
        self._people_at = -math.inf
        self._has_fallen = False

    @property
    def follows(self) -> bool:
        """Whether the bundle weighs movement, so that every frame is to be seen."""
        return bool(self._motion.flow)

    def see(self, bgr: Picture, shape: Shape, at: float) -> None:
        """Take every frame: a BGR picture of any size that shows a frame of this shape, at `at` seconds."""
        people = 0 <= at - self._people_at <= SEEN_SECONDS
        self._movement.see(bgr, shape[0], shape[1], at, people=people)

    def meet(self, found: Sequence[Detection], shape: Shape, at: float) -> None:
        """Take what was found in a frame of this shape."""
        people = [box for box in found if box.name == PERSON]
        self._people_at = at if people else self._people_at
        self._has_fallen = bool(self._motion.falls) and self._posture.look(people, shape[0] / shape[1], at)

    def weigh(self, weighed: Weighed) -> Weighed:
        """Return the evidence of the frame met last, with that of the looks before unless it shows nothing."""
        added = {**self._moved(), **(self._motion.falls if self._has_fallen else {})}
        if not added or not any(weighed.evidence.values()):
            return weighed
        moved = {
            term: reading.probability(reading.log_odds(weighed.evidence[term]) + odds) for term, odds in added.items()
        }
        return replace(weighed, evidence={**weighed.evidence, **moved})

    def _moved(self) -> dict[str, float]:
        features = self._movement.features
        if features is None:
            return {}
        return {term: log_likelihood(head, features) for term, head in self._motion.flow.items()}
