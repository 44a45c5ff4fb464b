"""How a camera's picture moved lately, and what that says for a danger: optical flow of the last looks.

Flow is measured only while people are in view: then it costs a few milliseconds a look, and else nothing.
"""

import math
from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contract.bundle import MotionHead
from edge.infer import image
from edge.infer.image import Picture
from edge.look.movement import flow
from edge.look.movement.flow import Flow, Grey

MOST_PAIRS: Final = 8
FEWEST_PAIRS: Final = 4
"""Pairs of looks that are judged together: at five looks a second, the last second and a half; of fewer nothing is
said."""

LONGEST_SECONDS: Final = 0.5
"""Time between two looks from which flow says nothing."""

SHORTEST_SECONDS: Final = 0.02

OFFSET: Final = 0.01
"""Added before the logarithm."""

FURTHEST: Final = 3.0
"""Deviations from the mean at which a feature is cut off."""

SUMMARIES: Final = 3
"""Mean, maximum and deviation over the pairs."""


class Movement:
    """The flow of the last looks of one camera."""

    def __init__(self) -> None:
        self._at = -math.inf
        self._grey: Grey | None = None
        self._flow: Flow | None = None
        self._pairs: deque[NDArray[np.float32]] = deque(maxlen=MOST_PAIRS)

    def see(self, bgr: Picture, height: int, width: int, at: float, *, people: bool) -> None:
        """Take a look at `at` seconds: a BGR picture of any size that shows a frame of so many pixels.

        Without `people` it is only kept for the next look.
        """
        grey, before, seconds = flow.grey(bgr, height, width), self._grey, at - self._at
        self._grey, self._at = grey, at
        if (
            not people
            or before is None
            or before.shape != grey.shape
            or not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS
        ):
            self._flow = None
            self._pairs.clear()
            return
        found = image.flow(before, grey)
        self._pairs.append(flow.measure(found, self._flow, seconds))
        self._flow = found

    @property
    def features(self) -> NDArray[np.float64] | None:
        """What a head weighs, float64 [`SUMMARIES` x features]; None where too little was seen."""
        if len(self._pairs) < FEWEST_PAIRS:
            return None
        return summarise(np.stack(self._pairs))


def summarise(pairs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the logarithms of mean, maximum and deviation of pairs [P, F]: float64 [3 F]."""
    values = np.concatenate([pairs.mean(0), pairs.max(0), pairs.std(0)])
    return np.log(np.abs(values.astype(np.float64)) + OFFSET)


def log_likelihood(head: MotionHead, features: NDArray[np.floating]) -> float:
    """Return the log-likelihood ratio of a danger against calm by how all moved, at most `head.most` away from 0."""
    scaled = np.clip((features - np.array(head.mean)) / np.array(head.spread), -FURTHEST, FURTHEST)
    found = float(scaled @ np.array(head.weights)) + head.bias
    return min(head.most, max(-head.most, found))
