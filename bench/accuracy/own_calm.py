"""Which pictures raise an alarm at cameras that know their own calm.

Pictures that share a key are taken for one camera's. A seeded half of its calm pictures teaches it what its calm is, as
the device learns it over days: each danger's evidence must exceed a high quantile of what calm shows. The other half,
and its dangers, are measured. A camera with no calm pictures keeps the bundle's thresholds.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from contract.bundle import Manifest
from edge import config
from edge.infer import image
from edge.infer.captioner import Captioner
from edge.look import event, scene
from edge.look.memory import reading
from edge.look.memory.camera_memory import bounds
from edge.look.scene import Sight
from edge.process.stage_timer import Latency

QUANTILE: Final = 0.98
"""Of a few dozen calm pictures; a device has days of them, and asks for more."""


def taught(cameras: Sequence[str], calm: Sequence[bool], seed: int) -> frozenset[int]:
    """Draw the rows that teach: half of each camera's calm pictures, rounded down."""
    rows: dict[str, list[int]] = {}
    for row, (camera, is_calm) in enumerate(zip(cameras, calm, strict=True)):
        if is_calm:
            rows.setdefault(camera, []).append(row)
    drawn = random.Random(seed)
    return frozenset(row for camera in sorted(rows) for row in drawn.sample(rows[camera], len(rows[camera]) // 2))


def shifts(learnt: Sequence[Mapping[str, float]], manifest: Manifest) -> dict[str, float]:
    """Return how far each danger's threshold moves, in log-odds, by what calm pictures of one camera showed."""
    if not learnt:
        return {}
    found = {}
    for danger, bound in bounds(manifest).items():
        values = sorted(one[danger] for one in learnt)
        found[danger] = max(bound.lowest, values[min(len(values) - 1, math.floor(QUANTILE * len(values)))])
    return found


def captions(
    captioner: Captioner, files: Sequence[Path], cameras: Sequence[str], calm: Sequence[bool], settings: config.Crops
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Caption what is measured, as (row, what `wordcam-edge caption --json` would say); raises `Unreadable`."""
    learners = taught(cameras, calm, seed=1)
    known: dict[str, list[Mapping[str, float]]] = {}
    for row in sorted(learners):
        known.setdefault(cameras[row], []).append(_excess(captioner, _look(captioner, files[row], settings)))
    moved = {camera: shifts(learnt, captioner.manifest) for camera, learnt in known.items()}
    for row, file in enumerate(files):
        if row not in learners:
            yield row, _said(captioner, file, _look(captioner, file, settings), moved.get(cameras[row], {}))


def _look(captioner: Captioner, file: Path, settings: config.Crops) -> Sight:
    bgr = image.read_bgr(file)
    size = captioner.manifest.input
    small = image.rgb(image.fit(bgr, size.height, size.width))
    return scene.look(captioner, bgr, small, settings, Latency())


def _excess(captioner: Captioner, sight: Sight) -> dict[str, float]:
    return {danger: found.excess for danger, found in scene.readings(captioner, sight).items()}


def _said(captioner: Captioner, file: Path, sight: Sight, moved: Mapping[str, float]) -> dict[str, Any]:
    left = {danger: excess - moved.get(danger, 0.0) for danger, excess in _excess(captioner, sight).items()}
    raised = {danger for danger, excess in left.items() if excess >= 0}
    told = scene.tell(captioner, sight, Latency(), raised)
    hazards = [{"term": term, "probability": reading.probability(excess)} for term, excess in left.items()]
    return {
        "file": str(file),
        "text": told.sentence.text,
        "confidence": round(told.sentence.confidence, event.DIGITS),
        "hazards": hazards,
        "language": captioner.manifest.language,
    }
