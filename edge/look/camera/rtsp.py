"""A network camera: RTSP, or motion JPEG over HTTP."""

from functools import partial

import cv2

from edge import config
from edge.look.camera import address
from edge.look.camera.live import Live, capture
from edge.look.camera.pace import Pace
from foundation import secret


def open_camera(settings: config.Rtsp, pace: Pace) -> Live:
    """Connect to the stream; raises `CameraGone`, or `Misconfigured` for a user name in the address.

    A stream that ends is connected to again, for as long as a frame may be late.
    """
    milliseconds = round(settings.timeout_seconds * 1000)
    name = address.masked(settings.url)
    password = secret.read(settings.password_file, "WORDCAM_CAMERA_PASSWORD", field="camera.password_file")
    connect = partial(
        capture,
        address.with_password(settings.url, settings.username, password),
        cv2.CAP_FFMPEG,
        {cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: milliseconds, cv2.CAP_PROP_READ_TIMEOUT_MSEC: milliseconds},
        name,
        "see whether it is on, and whether address, user name and password are right",
    )
    return Live(
        connect(),
        name,
        pace=pace,
        bit_rate_kbps=settings.bit_rate_kbps,
        timeout_seconds=settings.timeout_seconds,
        connect=connect,
    )
