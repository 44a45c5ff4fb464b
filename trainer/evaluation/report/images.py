"""Embeds images in the page as data URIs."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

SIDE: Final = 320
"""Pixels of the longer side in the page: sharp at the size shown, 15 KB each."""

QUALITY: Final = 82


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """An image as the page holds it."""

    uri: str = ""
    """Empty where the file is gone or broken."""
    ratio: float = 4 / 3
    """Width by height."""


def thumbnail(path: Path) -> Thumbnail:
    """Return an image as a data URI of at most `SIDE` pixels a side."""
    try:
        with Image.open(path) as image:
            shrunk = ImageOps.exif_transpose(image).convert("RGB")
            shrunk.thumbnail((SIDE, SIDE))
            out = io.BytesIO()
            shrunk.save(out, "JPEG", quality=QUALITY)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError):
        return Thumbnail()
    return Thumbnail(inline(out.getvalue(), "image/jpeg"), round(shrunk.width / shrunk.height, 4))


def inline(content: bytes, kind: str) -> str:
    """Return bytes as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
