"""Writes a Matroska film of JPEG pictures, each at a time of its own, as programs that record a screen or a call do.

Element numbers are those of RFC 9559.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from edge.infer import image

HEIGHT, WIDTH = 48, 64


def write(path: Path, milliseconds: Iterable[int]) -> Path:
    """Write a film with a picture at each time, whose brightness counts up by 8; all times are below 32 seconds."""
    times = list(milliseconds)
    video = _element(0xE0, _number(0xB0, WIDTH) + _number(0xBA, HEIGHT))
    track = _number(0xD7, 1) + _number(0x73C5, 1) + _number(0x83, 1) + _element(0x86, b"V_MJPEG") + video
    blocks = b"".join(
        _element(0xA3, b"\x81" + at.to_bytes(2, "big") + b"\x80" + _jpeg(n)) for n, at in enumerate(times)
    )
    segment = (
        _element(0x1549A966, _number(0x2AD7B1, 1_000_000) + _element(0x4D80, b"test") + _element(0x5741, b"test"))
        + _element(0x1654AE6B, _element(0xAE, track))
        + _element(0x1F43B675, _number(0xE7, 0) + blocks)
    )
    head = _element(0x1A45DFA3, _element(0x4282, b"matroska") + _number(0x4287, 4) + _number(0x4285, 2))
    path.write_bytes(head + _element(0x18538067, segment))
    return path


def _jpeg(number: int) -> bytes:
    return image.encode_jpeg(np.full((HEIGHT, WIDTH, 3), number * 8, np.uint8))


def _number(name: int, value: int) -> bytes:
    return _element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _element(name: int, content: bytes) -> bytes:
    size = (len(content) | 1 << 56).to_bytes(8, "big")
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + size + content
