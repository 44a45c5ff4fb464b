"""A camera whose pictures are shrunk, turned, mirrored and, for privacy, masked before anything sees them."""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from edge import config
from edge.infer import image
from edge.infer.image import Picture
from edge.look.camera_port import Camera, Frame

_TURNS: Final[dict[int, int]] = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}

_AXES: Final[dict[str, int]] = {"horizontal": 1, "vertical": 0}
"""As `cv2.flip` counts them."""


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Another camera's pictures, adjusted."""

    camera: Camera
    settings: config.Camera

    def read(self) -> Frame | None:
        """Return the camera's next frame, adjusted; raises `CameraGone`."""
        frame = self.camera.read()
        return None if frame is None else replace(frame, bgr=adjust(frame.bgr, self.settings))

    def close(self) -> None:
        """Let the camera go."""
        self.camera.close()


def adjust(bgr: Picture, settings: config.Camera) -> Picture:
    """Shrink a picture that is too large, then turn it, then mirror it, then paint its masks black."""
    bgr = image.shrunk(bgr, settings.max_side)
    if settings.rotate:
        bgr = np.asarray(cv2.rotate(bgr, _TURNS[settings.rotate]), np.uint8)
    if settings.flip != "none":
        bgr = np.asarray(cv2.flip(bgr, _AXES[settings.flip]), np.uint8)
    if not settings.masks:
        return bgr
    height, width = bgr.shape[:2]
    corners = [np.rint(np.asarray(mask) * (width - 1, height - 1)).astype(np.int32) for mask in settings.masks]
    cut = bgr.copy()
    for mask in corners:
        cv2.fillPoly(cut, [mask], (0, 0, 0))
    return cut
