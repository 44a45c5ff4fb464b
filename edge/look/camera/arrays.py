"""A camera of plain buffers as a camera of arrays, without a copy."""

from dataclasses import dataclass

import numpy as np

from edge.look.camera.live import Live
from edge.look.camera_port import Frame


@dataclass(frozen=True, slots=True)
class Arrays:
    """The frames of live video, each as an array."""

    live: Live

    def read(self) -> Frame:
        """Return the next frame; raises `CameraGone`."""
        frame = self.live.read()
        bgr = np.asarray(frame.bgr, np.uint8)
        return Frame(bgr, frame.captured_at, frame.at, frame.video_bytes, frame.is_damaged)

    def close(self) -> None:
        """Let the camera go."""
        self.live.close()
