"""Pictures: read from a file, and squashed to the size a model takes.

Arrays are uint8 [H, W, 3], rows from the top. This module is part of inference because parity must measure the very
resize that ships.
"""

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""uint8 [H, W, 3]."""

MAX_SIDE: Final = 16_384
"""Pixels along a side that any camera's still stays below; beyond, a file is a decompression bomb or broken."""


class Unreadable(ValueError):
    """A file that cannot be decoded to a picture; it names the file."""


def read(path: Path) -> Picture:
    """Decode a picture file to RGB uint8 [H, W, 3], turned upright by its EXIF orientation; raises `Unreadable`."""
    return rgb(read_bgr(path))


def read_bgr(path: Path) -> Picture:
    """Decode a picture file to BGR uint8 [H, W, 3], the order cameras give; raises `Unreadable`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error
    return decode_bgr(data, str(path))


def decode_bgr(data: bytes, name: str) -> Picture:
    """Decode the bytes of a picture file to BGR uint8 [H, W, 3]; raises `Unreadable` with `name`."""
    if not data:
        raise Unreadable(f"{name}: the file is empty")
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise Unreadable(f"{name}: {error.err}") from error
    if picture is None:
        raise Unreadable(f"{name}: not a picture, or a broken one; JPEG, PNG, WebP and BMP can be read")
    if max(picture.shape) > MAX_SIDE:
        raise Unreadable(f"{name}: {picture.shape[1]} x {picture.shape[0]} pixels, at most {MAX_SIDE} a side")
    return _picture(picture)


def shrunk(picture: Picture, max_side: int) -> Picture:
    """Shrink a picture whose longer side has more than so many pixels; another one is returned as it is."""
    height, width = picture.shape[:2]
    if max(height, width) <= max_side:
        return picture
    share = max_side / max(height, width)
    size = max(1, round(width * share)), max(1, round(height * share))
    return _picture(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def turned(picture: Picture, degrees: int) -> Picture:
    """Turn a picture counter-clockwise by a multiple of 90 degrees; by others, as it is."""
    quarters = degrees // 90 % 4 if degrees % 90 == 0 else 0
    return picture if not quarters else _picture(np.ascontiguousarray(np.rot90(picture, quarters)))


def encode_jpeg(bgr: Picture) -> bytes:
    """Return a BGR picture as a JPEG file."""
    return bytes(cv2.imencode(".jpg", bgr)[1])


def rgb(bgr: Picture) -> Picture:
    """Turn BGR into RGB or back."""
    return _picture(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


def fit(picture: Picture, height: int, width: int) -> Picture:
    """Squash a whole picture, [H, W, 3] or [H, W], to height and width; one of that size is given as it is.

    Halves it by averaging 2 x 2 pixels while it stays at least as large as wanted, then interpolates linearly. One
    average over areas of any size differs by less than a grey level on photographs, and takes ten times as long.
    """
    while picture.shape[0] >= 2 * height and picture.shape[1] >= 2 * width:
        half = (picture.shape[1] // 2, picture.shape[0] // 2)
        picture = _picture(cv2.resize(picture, half, interpolation=cv2.INTER_AREA))
    if picture.shape[:2] == (height, width):
        return picture
    return _picture(cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR))


def cut(picture: Picture, left: float, top: float, side: float) -> Picture:
    """Return a part of a picture, without copying it; its place and size are shares of the picture's own, 0 to 1."""
    rows, columns = (_span(at, side, pixels) for at, pixels in zip((top, left), picture.shape[:2], strict=True))
    return picture[rows, columns]


def thumbnail(bgr: Picture, height: int, width: int) -> NDArray[np.uint8]:
    """Return the brightness of a BGR picture as uint8 [height, width]."""
    return fit(_picture(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)), height, width)


def flow(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the dense optical flow of two grey pictures [h, w] (Farnebäck 2003): [h, w, 2], pixels across and down."""
    nothing: Any = None
    found = cv2.calcOpticalFlowFarneback(before, after, nothing, 0.5, 3, 13, 2, 5, 1.1, 0)
    return np.asarray(found, np.float32)


def use_threads(count: int) -> None:
    """Let OpenCV work on this many threads."""
    cv2.setNumThreads(count)


def _span(start: float, length: float, pixels: int) -> slice:
    """Return the pixels of a part of one side, at least one of them."""
    first = min(round(start * pixels), pixels - 1)
    return slice(first, max(first + 1, round((start + length) * pixels)))


def _picture(array: Any) -> Picture:  # OpenCV's stubs promise less than it keeps
    return np.asarray(array, np.uint8)
