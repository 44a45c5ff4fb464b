"""A network camera: RTSP, or motion JPEG over HTTP."""

import urllib.parse

import cv2

from edge import config
from edge.errors import Misconfigured
from edge.look.camera.live import Live, capture
from edge.look.camera.pace import Pace
from foundation import secret


def open_camera(settings: config.Rtsp, pace: Pace) -> Live:
    """Connect to the stream; raises `CameraGone`, or `Misconfigured` for a password in the address."""
    milliseconds = round(settings.timeout_seconds * 1000)
    found = capture(
        _address(settings),
        cv2.CAP_FFMPEG,
        {cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: milliseconds, cv2.CAP_PROP_READ_TIMEOUT_MSEC: milliseconds},
        settings.url,
        "see whether it is on, and whether address, user name and password are right",
    )
    return Live(
        found, settings.url, pace=pace, bit_rate_kbps=settings.bit_rate_kbps, timeout_seconds=settings.timeout_seconds
    )


def _address(settings: config.Rtsp) -> str:
    """Return the address with user name and password; they stay out of every message."""
    parts = urllib.parse.urlsplit(settings.url)
    if "@" in parts.netloc:
        raise Misconfigured("`camera.url` holds a user name; put it into `camera.username` and `camera.password_file`")
    if not settings.username:
        return settings.url
    password = secret.read(settings.password_file, "WORDCAM_CAMERA_PASSWORD", field="camera.password_file")
    user = f"{urllib.parse.quote(settings.username, safe='')}:{urllib.parse.quote(password, safe='')}"
    return urllib.parse.urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc}"))
