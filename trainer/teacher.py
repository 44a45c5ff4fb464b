"""Draws the boxes that nobody drew, by a larger detector: pseudo-labels (Sohn et al. 2020, arXiv 2005.04757).

The teacher is a YOLOX network (Ge et al. 2021) as ONNX: pixels float32 [1, 3, S, S], BGR 0..255, the picture at the top
left of a grey square; its answer [1, P, 5 + 80] has cx, cy, w, h in pixels, objectness and COCO's class scores.
"""

import hashlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import msgspec
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from trainer.errors import CheckpointError, DataError

PERSON: Final = 0
"""COCO's first class; the only one asked for."""

GREY: Final = 114
"""What YOLOX pads with."""

SAVE_EVERY: Final = 500
"""Pictures between two saves: a few seconds of work."""

OVERLAP: Final = 0.6
"""Of two boxes that overlap more, the better stays."""

Box = tuple[float, float, float, float, float]
"""Score, left, top, width and height; all but the score as shares of the picture."""


class Found(msgspec.Struct):
    """What the teacher drew, kept on disk."""

    teacher: str
    """Digest of the network."""
    people: dict[str, list[Box]]
    """Boxes of people by picture file."""


def people(weights: Path, pictures: Sequence[Path], kept: Path, *, least_score: float) -> dict[Path, list[Box]]:
    """Give the people on each picture, drawn once and kept in the file `kept`; a killed run goes on.

    Raises `DataError` for a network or picture that cannot be read, `CheckpointError` where `kept` is not ours.
    """
    found = _read(kept, weights)
    missing = [picture for picture in pictures if str(picture) not in found.people]
    console, silent = Console(stderr=True), not sys.stderr.isatty()
    for number, (picture, boxes) in enumerate(
        track(_draw(weights, missing), "The teacher looks", len(missing), console=console, disable=silent), 1
    ):
        found.people[str(picture)] = boxes
        if number % SAVE_EVERY == 0 or number == len(missing):
            _save(kept, found)
    return {picture: [box for box in found.people[str(picture)] if box[0] >= least_score] for picture in pictures}


def _draw(weights: Path, pictures: Sequence[Path]) -> Iterator[tuple[Path, list[Box]]]:
    if not pictures:
        return
    session = _session(weights)
    entry = session.get_inputs()[0]
    for picture in pictures:
        pixels = cv2.imread(str(picture), cv2.IMREAD_COLOR)
        if pixels is None:
            raise DataError(f"{picture}: not a picture that can be decoded")
        side: int = entry.shape[-1]
        scale = side / max(pixels.shape[:2])
        answer = session.run(None, {entry.name: _square(pixels, side, scale)})[0][0]
        yield picture, boxes(answer, scale, pixels.shape[1], pixels.shape[0])


def _session(weights: Path) -> Any:
    try:
        import onnxruntime  # noqa: PLC0415 - only who has a teacher needs it
    except ModuleNotFoundError as error:
        raise DataError("data.teacher: install the package onnxruntime to use one") from error
    try:
        return onnxruntime.InferenceSession(str(weights), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes are made at run time
        raise DataError(f"{weights}: not a network that onnxruntime reads: {error}") from error


def _square(pixels: Any, side: int, scale: float) -> npt.NDArray[np.float32]:
    height, width = (max(1, round(length * scale)) for length in pixels.shape[:2])
    square = np.full((side, side, 3), GREY, np.uint8)
    square[:height, :width] = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)
    return square.transpose(2, 0, 1)[np.newaxis].astype(np.float32)


def boxes(answer: npt.NDArray[np.float32], scale: float, width: int, height: int) -> list[Box]:
    """Read one answer [P, 85]: people of some probability, without doubles, clipped to the picture."""
    scores = answer[:, 4] * answer[:, 5 + PERSON]
    likely = scores >= 0.1
    corners = np.concatenate([answer[likely, :2] - answer[likely, 2:4] / 2, answer[likely, 2:4]], 1) / scale
    kept = cv2.dnn.NMSBoxes(corners.tolist(), scores[likely].tolist(), 0.1, OVERLAP)
    found: list[Box] = []
    for row in np.asarray(kept, int).reshape(-1):
        left, top, across, down = corners[row]
        x0, y0 = max(0.0, left / width), max(0.0, top / height)
        x1, y1 = min(1.0, (left + across) / width), min(1.0, (top + down) / height)
        if x1 > x0 and y1 > y0:
            score = float(scores[likely][row])
            left, top, across, down = (round(float(side), 4) for side in (x0, y0, x1 - x0, y1 - y0))
            found.append((round(score, 3), left, top, across, down))
    return found


def digest(weights: Path) -> str:
    """Give the SHA-256 of a network, by which its answers are kept; raises `DataError` where it cannot be read."""
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
