"""Turns pictures into text that a page can hold."""

import base64
import io
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

SIDE: Final = 320
"""Pixels of the longer side in the page: sharp at the size shown, 15 KB each."""

QUALITY: Final = 82


def uri(path: Path) -> str:
    """Give a picture as a data URI, small; empty where the file is gone or broken."""
    try:
        with Image.open(path) as picture:
            small = ImageOps.exif_transpose(picture).convert("RGB")
            small.thumbnail((SIDE, SIDE))
            out = io.BytesIO()
            small.save(out, "JPEG", quality=QUALITY)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError):
        return ""
    return inline(out.getvalue(), "image/jpeg")


def inline(content: bytes, kind: str) -> str:
    """Give bytes as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
