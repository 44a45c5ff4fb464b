"""Reads an image file upright, as the device does: orientation of EXIF obeyed, in RGB."""

import contextlib
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from trainer.errors import DataError

FORMATS: Final = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "GIF")
"""Formats that are read. MPO is a JPEG with further images behind it, as some phones write them."""

LARGEST: Final = 89_478_485
"""Pixels of an image; more is a decompression bomb (Pillow's own bound for its warning)."""

UNREADABLE: Final = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, KeyError, OverflowError, MemoryError),
    *(struct.error, Image.DecompressionBombError),
)
"""What Pillow raises for a damaged file, by its documentation and by trying it."""

ORIENTATION: Final = 0x0112
"""EXIF tag, 1 to 8 (CIPA DC-008, section 4.6.4); 5 to 8 exchange width and height."""


def read(path: Path) -> npt.NDArray[np.uint8]:
    """Return an image [h, w, 3] in RGB, 0 to 255; of an animation the first frame.

    Raises `DataError` naming the file where it cannot be decoded.
    """
    try:
        with opened(path) as image:
            return np.asarray(rgb(image))
    except UNREADABLE as error:
        raise DataError(f"{path}: not an image that can be decoded: {reason(error)}") from error


def size(path: Path) -> tuple[int, int]:
    """Return the width and height in pixels of an image as it stands upright, from its headers alone.

    Raises `DataError` naming the file where it is not an image.
    """
    try:
        with opened(path) as image:
            width, height = image.size
            turned = image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)
    except UNREADABLE as error:
        raise DataError(f"{path}: not an image that can be decoded: {reason(error)}") from error
    return (height, width) if turned else (width, height)


def rgb(image: Image.Image) -> Image.Image:
    """Return an opened image upright and in RGB; 16 bits a channel become 8."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):
        deep = np.asarray(upright, np.uint32) >> 8
        upright = Image.fromarray(deep.clip(0, 255).astype(np.uint8))
    return upright.convert("RGB")


def opened(source: Path | BinaryIO) -> Image.Image:
    """Return an image of one of `FORMATS`, not yet decoded; raises one of `UNREADABLE`."""
    image = Image.open(source)
    if image.format not in FORMATS:
        raise ValueError(f"a {image.format} file; expected {', '.join(FORMATS)}")
    if image.width * image.height > LARGEST:
        raise ValueError(f"{image.width} x {image.height} pixels; at most {LARGEST:,} are read")
    return image


def reason(error: BaseException) -> str:
    """Return in a few words why an image cannot be decoded."""
    text = " ".join(str(error).split())
    return "not an image of a known format" if "cannot identify" in text else text[:120]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Ignore Pillow's warnings about metadata and size; the filters are the process's, so call it in one thread."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield
