"""Boxes: what the detector's numbers mean after threshold and non-maximum suppression.

Dimensions: P points over all levels, C classes, K boxes kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing found in the frame; lengths are shares of the frame, 0 to 1."""

    name: str
    """Its class."""
    score: float
    """0 to 1."""
    x: float
    """Left edge."""
    y: float
    """Top edge."""
    w: float
    """Width."""
    h: float
    """Height."""


def read(
    boxes: Floats, scores: Floats, classes: Sequence[str], *, score_threshold: float, iou_threshold: float
) -> list[Detection]:
    """Return the detections of boxes [P, 4] (cx, cy, w, h) and scores [P, C], the best score first."""
    found: list[Detection] = []
    likely = scores >= score_threshold
    for number in np.flatnonzero(likely.any(0)).tolist():
        name, points = classes[number], np.flatnonzero(likely[:, number])
        corners, of_class = _corners(boxes[points]), scores[points, number]
        for at in suppress(corners, of_class, iou_threshold):
            left, top, right, bottom = corners[at].tolist()
            found.append(Detection(name, min(1.0, float(of_class[at])), left, top, right - left, bottom - top))
    return sorted(found, key=lambda detection: -detection.score)


def suppress(corners: Floats, scores: Floats, iou_threshold: float) -> list[int]:
    """Non-maximum suppression: give the rows of [K, 4] (left, top, right, bottom) to keep, the best first."""
    order = np.argsort(-scores, kind="stable")
    areas = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    kept: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        sides = np.minimum(corners[best, 2:], corners[rest, 2:]) - np.maximum(corners[best, :2], corners[rest, :2])
        overlap = np.prod(np.maximum(sides, 0), axis=1)
        union = areas[best] + areas[rest] - overlap
        order = rest[overlap <= iou_threshold * union]
    return kept


def _corners(boxes: Floats) -> Floats:
    """Turn centres and sizes [K, 4] into corners inside the frame [K, 4]."""
    half = boxes[:, 2:] / 2
    corners: Floats = np.clip(np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1), 0, 1)
    return corners
