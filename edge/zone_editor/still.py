"""The still picture under the page: a file, or one frame of the configured camera, as the device will see it."""

import threading
from pathlib import Path
from typing import Final

import msgspec

from edge import config, service
from edge.errors import Misconfigured
from edge.infer import image
from edge.infer.image import Picture
from edge.look.camera import adjusted

MAX_SIDE: Final = 1280
"""Longer sides of the picture are made so long: more dots do not fit on the screen."""


def of_file(path: Path, settings: config.Camera) -> bytes:
    """Return a picture file as JPEG, turned and mirrored as a camera's; raises `Misconfigured`."""
    try:
        return _jpeg(adjusted.adjust(image.read_bgr(path), _unmasked(settings)))
    except image.Unreadable as error:
        raise Misconfigured(str(error)) from error


def of_camera(settings: config.AnyCamera) -> bytes:
    """Return a frame of the camera as JPEG; raises `CameraGone`, or `Misconfigured` where there is none."""
    camera = service.open_camera(msgspec.structs.replace(settings, masks=()), threading.Event().wait)
    try:
        frame = camera.read()
    finally:
        camera.close()
    if frame is None:
        raise Misconfigured("the replay holds no frame; name a picture: wordcam-edge zones still.jpg")
    return _jpeg(frame.bgr)


def _unmasked(settings: config.Camera) -> config.Camera:
    """Return a camera's settings without its masks, so that they can be drawn anew."""
    return msgspec.structs.replace(settings, masks=(), zones={})


def _jpeg(bgr: Picture) -> bytes:
    height, width = bgr.shape[:2]
    scale = min(1.0, MAX_SIDE / max(height, width))
    return image.encode_jpeg(image.fit(bgr, max(1, round(height * scale)), max(1, round(width * scale))))
