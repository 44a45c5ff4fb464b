"""What a camera must do, and no more."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # NumPy and OpenCV, which `pull` goes without
    from edge.infer.image import Picture


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture from a camera."""

    bgr: "Picture"
    """uint8 [H, W, 3], blue first, as OpenCV and picamera2 give it."""
    captured_at: datetime
    """When it was taken, or for a replay when it was read; UTC."""
    at: float
    """Seconds on the camera's own clock; a replay's runs with the film, however fast it is played."""
    video_bytes: float
    """Encoded video from the frame before up to this one."""
    is_damaged: bool = False
    """Whether data of it was missing or wrong, and the decoder guessed the rest."""


@dataclass(frozen=True, slots=True)
class BufferFrame:
    """One picture in a process without NumPy."""

    bgr: memoryview
    """uint8 [H, W, 3], blue first, contiguous."""
    captured_at: datetime
    """When it was taken; UTC."""
    at: float
    """Seconds on the camera's own clock."""
    video_bytes: float
    """Encoded video from the frame before up to this one."""
    is_damaged: bool = False
    """Whether data of it was missing or wrong, and the decoder guessed the rest."""


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


class BufferCamera(Protocol):
    """A source of frames as either kind, to be handed on."""

    def read(self) -> Frame | BufferFrame | None:
        """Wait for the next frame, and return it; raises `CameraGone` where there will be none."""
        ...

    def close(self) -> None:
        """Let the camera go."""
        ...
