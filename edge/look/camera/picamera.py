"""A camera on a Raspberry Pi's ribbon cable, by picamera2 (which comes with Raspberry Pi OS, not from PyPI)."""

import sys
import time
from datetime import UTC, datetime
from typing import Any

import numpy as np

from edge import config
from edge.errors import CameraGone, Misconfigured
from edge.look.camera.live import BYTES_PER_KBIT
from edge.look.camera.pace import Pace
from edge.look.camera_port import Frame


class PiCamera:
    """A running picamera2, read at a pace; its driver drops frames that nobody takes."""

    def __init__(self, picamera: Any, settings: config.PiCamera, pace: Pace) -> None:
        self._picamera = picamera
        self._bytes_per_second = settings.bit_rate_kbps * BYTES_PER_KBIT
        self._pace = pace
        self._before = time.monotonic()

    def read(self) -> Frame:
        """Wait for the pace and return the newest frame; raises `CameraGone`."""
        self._pace.wait()
        try:
            bgr = self._picamera.capture_array("main")
        except RuntimeError as error:
            raise CameraGone(f"the ribbon camera stopped: {error}; see `rpicam-hello --list-cameras`") from error
        at = time.monotonic()
        frame = Frame(np.asarray(bgr, np.uint8), datetime.now(UTC), at, (at - self._before) * self._bytes_per_second)
        self._before = at
        return frame

    def close(self) -> None:
        """Let the camera go."""
        self._picamera.close()


def open_camera(settings: config.PiCamera, pace: Pace) -> PiCamera:
    """Start the camera; raises `Misconfigured` without picamera2, `CameraGone` without a camera."""
    try:
        from picamera2 import Picamera2  # noqa: PLC0415  # only a Raspberry Pi has it, and only this kind needs it
    except ImportError as error:
        raise Misconfigured(f"`camera.kind` is picamera, but picamera2 is missing: {_how_to_install()}") from error
    except ValueError as error:  # its compiled parts were built for another NumPy
        raise Misconfigured(
            f"picamera2 does not load beside NumPy {np.__version__} ({error}): on Raspberry Pi OS 12 install "
            "'wordcam[bookworm]' instead of 'wordcam[edge]'"
        ) from error
    try:
        picamera = Picamera2(settings.number)
        # picamera2 names formats from the highest byte down: "RGB888" lies in memory as blue, green, red.
        main = {"size": (settings.width, settings.height), "format": "RGB888"}
        picamera.configure(picamera.create_video_configuration(main=main))
        picamera.start()
    except (IndexError, RuntimeError) as error:
        raise CameraGone(
            f"ribbon camera {settings.number} does not start: {error}; see `rpicam-hello --list-cameras`"
        ) from error
    return PiCamera(picamera, settings, pace)


def _how_to_install() -> str:
    """Return how to install picamera2, which pip does not have."""
    said = "sudo apt install python3-picamera2"
    if sys.prefix == sys.base_prefix:
        return said
    return (
        f"{said}; this virtual environment sees the system's packages only if it is made with "
        f"`python3 -m venv --system-site-packages {sys.prefix}`"
    )
