"""Damaged H.264 and JPEGs, decoded by FFmpeg as those of a network camera are; H.264 is encoded by x264."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final

import av
import numpy as np

from edge.infer.image import Picture

KEY_FRAME_EVERY: Final = 25
DAMAGED: Final = 0.7
"""Pictures between two key frames, and share of the other packets that are damaged on the way."""

HEADERS: Final = 120
PIECES: Final = 12
"""Bytes at the start of a packet that stay whole, and pieces of it that are overwritten."""


def half_decoded(jpeg: bytes) -> Picture | None:
    """Decode a JPEG that was cut short; None where FFmpeg shows nothing of it."""
    try:
        frames = av.VideoCodecContext.create("mjpeg", "r").decode(av.Packet(jpeg))
    except av.error.InvalidDataError:
        return None
    return np.asarray(frames[0].to_ndarray(format="bgr24"), np.uint8) if frames else None


def with_damage(pictures: Iterable[Picture], begins: int, seed: int) -> Iterator[Picture]:
    """Yield each picture as decoded; from the picture `begins` on, key frames and most of the others are damaged."""
    dice = np.random.default_rng(seed)
    encoder: av.VideoCodecContext | None = None
    decoder = av.VideoCodecContext.create("h264", "r")
    shown: Picture | None = None
    for number, picture in enumerate(pictures):
        if encoder is None:
            encoder = _encoder(picture)
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts = number
        for packet in encoder.encode(frame):
            data = bytes(packet)
            if number >= begins and (packet.is_keyframe or dice.random() < DAMAGED):
                data = _damaged(data, dice)
            try:
                for decoded in decoder.decode(av.Packet(data)):
                    shown = np.asarray(decoded.to_ndarray(format="bgr24"), np.uint8)
            except av.error.InvalidDataError:
                continue
        yield picture if shown is None else shown


def _damaged(data: bytes, dice: np.random.Generator) -> bytes:
    """Overwrite pieces of a packet, behind its headers, as a radio link does that nobody checks."""
    spoilt = bytearray(data)
    for begin in dice.integers(HEADERS, max(HEADERS + 1, len(spoilt)), PIECES).tolist():
        spoilt[begin : begin + 8] = dice.integers(0, 256, len(spoilt[begin : begin + 8])).astype(np.uint8).tobytes()
    return bytes(spoilt)


def _encoder(picture: Picture) -> av.VideoCodecContext:
    encoder = av.VideoCodecContext.create("libx264", "w")
    encoder.height, encoder.width = picture.shape[:2]
    encoder.pix_fmt, encoder.framerate, encoder.time_base = "yuv420p", Fraction(1), Fraction(1)
    encoder.options = {"tune": "zerolatency", "preset": "veryfast", "g": str(KEY_FRAME_EVERY), "crf": "26"}
    return encoder
