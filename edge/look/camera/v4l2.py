"""A USB or other Video4Linux camera, read by OpenCV."""

from typing import Any

import cv2

from edge import config
from edge.errors import CameraGone
from edge.look.camera.live import Grabbed, Live
from edge.look.camera.pace import Pace


class Device:
    """An opened device."""

    def __init__(self, capture: Any) -> None:
        self._capture = capture

    def grab(self) -> bool:
        """Take the next frame from the driver."""
        return bool(self._capture.grab())

    def retrieve(self) -> Grabbed | None:
        """Decode the frame just taken; None where it is broken."""
        ok, bgr = self._capture.retrieve()
        return Grabbed(memoryview(bgr)) if ok else None

    def release(self) -> None:
        """Let the device go."""
        self._capture.release()


def open_camera(settings: config.V4l2, pace: Pace) -> Live:
    """Open the device; raises `CameraGone` naming it."""
    device = str(settings.device)
    if not settings.device.exists():
        raise CameraGone(f"{device}: no such camera; plug it in, or see `ls /dev/video*` and set `camera.device`")
    asked = {
        # Motion JPEG: USB 2 carries raw 720p at 10 frames a second only.
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
        cv2.CAP_PROP_FRAME_WIDTH: settings.width,
        cv2.CAP_PROP_FRAME_HEIGHT: settings.height,
    }
    capture = cv2.VideoCapture(device, cv2.CAP_V4L2, [number for pair in asked.items() for number in pair])
    if not capture.isOpened():
        capture.release()
        raise CameraGone(
            f"{device}: the camera cannot be opened; another program may hold it (`fuser`), or this user is not in the "
            "group `video`"
        )
    return Live(
        Device(capture),
        device,
        pace=pace,
        bit_rate_kbps=settings.bit_rate_kbps,
        timeout_seconds=settings.timeout_seconds,
    )
