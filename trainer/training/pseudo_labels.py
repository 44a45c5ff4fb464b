"""Pseudo-labels: boxes of people predicted by a larger detector (Sohn et al. 2020, arXiv 2005.04757).

The detector is a YOLOX network (Ge et al. 2021) as ONNX, exported as its authors do: pixels float32 [1, 3, S, S], BGR
0..255, the image at the top left of a grey square. Its output [1, P, 5 + 80] says for each point of three grids where
the box's centre lies from the point and how long its sides are (logarithms), in strides; then objectness and classes.
"""

import hashlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image
from rich.console import Console
from rich.progress import track

from trainer.data import image_file
from trainer.errors import CheckpointError, DataError

PERSON: Final = 0
"""COCO's first class; the only one asked for."""

STRIDES: Final = (8, 16, 32)
"""Pixels between the points of each grid."""

GREY: Final = 114
"""What YOLOX pads with."""

SAVE_EVERY: Final = 500
"""Images between two saves: a few seconds of work."""

OVERLAP: Final = 0.6
"""Of two boxes that overlap more, the better stays."""

Box = tuple[float, float, float, float, float]
"""Score, left, top, width and height; all but the score as shares of the image."""


class Found(msgspec.Struct):
    """Predicted boxes, as they are stored on disk."""

    teacher: str
    """Digest of the network."""
    people: dict[str, list[Box]]
    """Boxes of people by image file."""


def people(weights: Path, images: Sequence[Path], kept: Path, *, min_score: float) -> dict[Path, list[Box]]:
    """Return the people in each image, predicted once and stored in the file `kept`; a killed run goes on.

    Raises `DataError` for a network or image that cannot be read, `CheckpointError` where `kept` is not ours.
    """
    found = _read(kept, weights)
    missing = [image for image in images if str(image) not in found.people]
    console, silent = Console(stderr=True), not sys.stderr.isatty()
    for number, (image, boxes) in enumerate(
        track(_draw(weights, missing), "The teacher looks", len(missing), console=console, disable=silent), 1
    ):
        found.people[str(image)] = boxes
        if number % SAVE_EVERY == 0 or number == len(missing):
            _save(kept, found)
    return {image: [box for box in found.people[str(image)] if box[0] >= min_score] for image in images}


def _draw(weights: Path, images: Sequence[Path]) -> Iterator[tuple[Path, list[Box]]]:
    if not images:
        return
    session = _session(weights)
    entry = session.get_inputs()[0]
    for image in images:
        seen = Image.fromarray(image_file.read(image))
        side: int = entry.shape[-1]
        scale = side / max(seen.size)
        answer = session.run(None, {entry.name: _square(seen, side, scale)})[0][0]
        yield image, boxes(decode(answer, side), scale, *seen.size)


def _session(weights: Path) -> Any:
    try:
        import onnxruntime  # noqa: PLC0415 - only who has a teacher needs it
    except ModuleNotFoundError as error:
        raise DataError("data.pseudo_labels: install the package onnxruntime to use one") from error
    from onnxruntime.capi import onnxruntime_pybind11_state as refusals  # noqa: PLC0415 - its errors live there alone

    unusable = (
        refusals.Fail,
        refusals.InvalidArgument,
        refusals.InvalidGraph,
        refusals.InvalidProtobuf,
        refusals.NoSuchFile,
        refusals.NotImplemented,
        refusals.RuntimeException,
    )
    try:
        return onnxruntime.InferenceSession(str(weights), providers=["CPUExecutionProvider"])
    except unusable as error:
        raise DataError(f"{weights}: not a network that onnxruntime reads: {error}") from error


def _square(seen: Image.Image, side: int, scale: float) -> npt.NDArray[np.float32]:
    width, height = (max(1, round(length * scale)) for length in seen.size)
    square = np.full((side, side, 3), GREY, np.uint8)
    square[:height, :width] = np.asarray(seen.resize((width, height), Image.Resampling.BILINEAR))[..., ::-1]
    return square.transpose(2, 0, 1)[np.newaxis].astype(np.float32)


def decode(answer: npt.NDArray[np.float32], side: int) -> npt.NDArray[np.float32]:
    """Return an output [P, 85] for a square of this side with boxes as cx, cy, w, h in pixels.

    Raises `DataError` where its points are not those of the three grids.
    """
    grids = [np.indices((side // stride, side // stride))[::-1].reshape(2, -1).T for stride in STRIDES]
    points = np.concatenate(grids).astype(np.float32)
    if len(points) != len(answer):
        raise DataError(
            f"data.pseudo_labels: answers for {len(answer)} points; a YOLOX of {side} pixels has {len(points)}"
        )
    strides = np.repeat(np.array(STRIDES, np.float32), [len(grid) for grid in grids])[:, np.newaxis]
    centres, sizes = (answer[:, :2] + points) * strides, np.exp(np.minimum(answer[:, 2:4], 8.0)) * strides
    return np.concatenate([centres, sizes, answer[:, 4:]], 1)


def boxes(answer: npt.NDArray[np.float32], scale: float, width: int, height: int) -> list[Box]:
    """Return the people of one output [P, 85], after non-maximum suppression, clipped to the image."""
    scores = answer[:, 4] * answer[:, 5 + PERSON]
    likely = scores >= 0.1
    centres, sizes = answer[likely, :2] / scale, answer[likely, 2:4] / scale
    low, high = centres - sizes / 2, centres + sizes / 2
    kept = tf.image.non_max_suppression(np.concatenate([low, high], 1), scores[likely], len(low), OVERLAP)
    found: list[Box] = []
    for row in kept.numpy():
        x0, y0 = max(0.0, low[row, 0] / width), max(0.0, low[row, 1] / height)
        x1, y1 = min(1.0, high[row, 0] / width), min(1.0, high[row, 1] / height)
        if x1 > x0 and y1 > y0:
            score = float(scores[likely][row])
            left, top, across, down = (round(float(side), 4) for side in (x0, y0, x1 - x0, y1 - y0))
            found.append((round(score, 3), left, top, across, down))
    return found


def digest(weights: Path) -> str:
    """Return the SHA-256 of a network, by which its boxes are stored; raises `DataError` where it cannot be read."""
    try:
        return hashlib.sha256(weights.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{weights}: {error.strerror}") from error


def _read(kept: Path, weights: Path) -> Found:
    teacher = digest(weights)
    if not kept.exists():
        return Found(teacher, {})
    try:
        found = msgspec.json.decode(kept.read_bytes(), type=Found)
    except msgspec.DecodeError as error:
        raise CheckpointError(f"{kept}: {error}; remove it to ask the teacher again") from error
    return found if found.teacher == teacher else Found(teacher, {})


def _save(kept: Path, found: Found) -> None:
    scratch = kept.with_suffix(".new")
    scratch.write_bytes(msgspec.json.encode(found))
    scratch.replace(kept)
