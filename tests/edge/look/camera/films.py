"""Films in H.264, written by PyAV: each frame a grey of its own, with a square that moves."""

from pathlib import Path

import av
import numpy as np

RATE = 25


def write(
    path: Path, frames: int, *, width: int = 320, height: int = 180, key_every: int = 10, turned: int = 0
) -> Path:
    """Write a film whose frame number n has the grey 4 * n + 16 in its corner; `turned` is its mark for players."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"bf": "0", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = key_every
        if turned:
            stream.set_display_rotation(turned)
        for number in range(frames):
            picture = np.full((height, width, 3), 4 * number % 200 + 16, np.uint8)
            left = number * 8 % (width // 2)
            picture[height // 2 :, left + width // 4 : left + width // 2] = 255
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path
