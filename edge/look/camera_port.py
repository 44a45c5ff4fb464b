"""What a camera must do, and no more."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from edge.infer.image import Picture


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture from a camera."""

    bgr: Picture
    """uint8 [H, W, 3], blue first, as OpenCV and picamera2 give it."""
    captured_at: datetime
    """When it was taken, or for a replay when it was read; UTC."""
    at: float
    """Seconds on the camera's own clock; a replay's runs with the film, however fast it is played."""
    video_bytes: float
    """Encoded video from the frame before up to this one."""


class Camera(Protocol):
    """A source of frames."""

    def read(self) -> Frame | None:
        """Wait for the next frame to look at, and return it; None at the end of a replay.

        Raises `CameraGone` where there will be none.
        """
        ...

    def close(self) -> None:
        """Let the camera go."""
        ...
