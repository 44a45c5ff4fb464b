"""A USB or other Video4Linux camera."""

import cv2

from edge import config
from edge.errors import CameraGone
from edge.look.camera.live import Live, capture
from edge.look.camera.pace import Pace


def open_camera(settings: config.V4l2, pace: Pace) -> Live:
    """Open the device; raises `CameraGone` naming it."""
    device = str(settings.device)
    if not settings.device.exists():
        raise CameraGone(f"{device}: no such camera; plug it in, or see `ls /dev/video*` and set `camera.device`")
    found = capture(
        device,
        cv2.CAP_V4L2,
        {
            # Motion JPEG: USB 2 carries raw 720p at 10 frames a second only.
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
            cv2.CAP_PROP_FRAME_WIDTH: settings.width,
            cv2.CAP_PROP_FRAME_HEIGHT: settings.height,
        },
        device,
        "another program may hold it (`fuser`), or this user is not in the group `video`",
    )
    return Live(
        found, device, pace=pace, bit_rate_kbps=settings.bit_rate_kbps, timeout_seconds=settings.timeout_seconds
    )
