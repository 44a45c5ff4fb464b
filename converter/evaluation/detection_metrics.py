"""How good boxes are: COCO's average precision (Lin et al. 2014), by pycocotools."""

import contextlib
import dataclasses
import io
from pathlib import Path
from typing import Any, Final

import msgspec

from contract import bundle
from converter import terminal
from converter.errors import Unusable
from converter.evaluation.coco import Boxed
from edge.infer import image as pixels
from edge.infer.captioner import Captioner

SCORE_FLOOR: Final = 0.01
"""Average precision needs weak detections as well; the bundle's own threshold is one point on the curve."""

Scores = dict[str, dict[str, float]]
"""By class: `ap` (IoU 0.50 to 0.95), `ap50`, `images`, as fractions."""


def open_for_precision(folder: Path, threads: int = 1) -> Captioner:
    """Open a bundle so that it reports weak detections too; raises `Unusable` where it has no detector."""
    contents = bundle.read(folder)
    manifest = contents.manifest
    if manifest.detection is None:
        raise Unusable(f"{folder}: this bundle has no detector")
    floor = min(SCORE_FLOOR, manifest.detection.score_threshold)
    weak = msgspec.structs.replace(manifest.detection, score_threshold=floor)
    manifest = msgspec.structs.replace(manifest, detection=weak)
    return Captioner(folder, dataclasses.replace(contents, manifest=manifest), threads=threads, beam_width=None)


def evaluate(detector: Captioner, boxed: Boxed, *, limit: int | None = None) -> Scores:
    """Detect on every picture and score the classes that the bundle and the file both name.

    Raises `Unusable` where they name none in common, or where boxes do not fit the file's pictures.
    """
    classes = _common_classes(detector, boxed)
    images = sorted(boxed.paths)[:limit]
    found = []
    for image in terminal.track(images, "detecting"):
        found += _detect(detector, image, boxed.paths[image], classes)
    return {name: _precision(boxed, found, images, category) for name, category in classes.items()}


def _common_classes(detector: Captioner, boxed: Boxed) -> dict[str, int]:
    """Id in the file of each class that both know."""
    ours = detector.manifest.detection.classes if detector.manifest.detection else ()
    theirs = {category.name: category.id for category in boxed.instances.categories}
    common = {name: theirs[name] for name in ours if name in theirs}
    if not common:
        raise Unusable(f"{boxed.file}: has boxes of {', '.join(theirs)}; the bundle detects {', '.join(ours)}")
    return common


def _detect(detector: Captioner, image: int, path: Path, classes: dict[str, int]) -> list[dict[str, Any]]:
    """Return COCO results for one picture: boxes in its own pixels."""
    rgb = pixels.read(path)
    height, width = rgb.shape[:2]
    return [
        {
            "image_id": image,
            "category_id": classes[box.name],
            "bbox": [box.x * width, box.y * height, box.w * width, box.h * height],
            "score": box.score,
        }
        for box in detector.detect(detector.encode(rgb))
        if box.name in classes
    ]


def _precision(boxed: Boxed, found: list[dict[str, Any]], images: list[int], category: int) -> dict[str, float]:
    from pycocotools.coco import COCO  # noqa: PLC0415  # draws in matplotlib: only those who detect pay for it
    from pycocotools.cocoeval import COCOeval  # noqa: PLC0415

    ours = [result for result in found if result["category_id"] == category]
    if not ours:
        return {"ap": 0.0, "ap50": 0.0, "images": len(images)}
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = _dataset(boxed.raw)
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(ours), "bbox")
        evaluation.params.imgIds = images
        evaluation.params.catIds = [category]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    ap, ap50 = (max(0.0, float(share)) for share in evaluation.stats[:2])  # -1 where the file has no such box
    return {"ap": ap, "ap50": ap50, "images": len(images)}


def _dataset(raw: dict[str, Any]) -> dict[str, Any]:
    """Add what pycocotools wants and lean files leave out: areas, crowds, `info`."""
    annotations = [{"iscrowd": 0, "area": entry["bbox"][2] * entry["bbox"][3], **entry} for entry in raw["annotations"]]
    return {"info": {}, **raw, "annotations": annotations}
