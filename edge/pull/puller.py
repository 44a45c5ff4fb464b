"""Pull: the pictures of one network camera, handed to `look` through memory.

This process alone meets what a network camera sends, and decodes it. It has no model, no outbox and no MQTT; whatever
becomes of the camera, it goes on.
"""

import logging
import threading
from collections.abc import Callable
from typing import Final

from edge.errors import CameraGone
from edge.look.camera.frame_ring import FrameWriter, PullState
from edge.look.camera_port import BufferCamera

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 2.0
"""Wait between two attempts to open the camera."""


def pull(
    connect: Callable[[], BufferCamera],
    writer: FrameWriter,
    stop: threading.Event,
    *,
    on_work: Callable[[], None],
    on_progress: Callable[[], None],
) -> None:
    """Hand frames over until `stop` is set, and call `on_work` once a camera is open.

    `on_progress` is called after every frame and every attempt to connect.

    Raises `Misconfigured` of `connect`, and `DiskFull`.
    """
    state = PullState.CONNECTING
    try:
        while not stop.is_set():
            writer.say(state)
            on_progress()
            state = _pull_while_there(connect, writer, stop, on_work, on_progress)
            writer.say(state)
            stop.wait(RETRY_SECONDS)
    finally:
        writer.close()


def _pull_while_there(
    connect: Callable[[], BufferCamera],
    writer: FrameWriter,
    stop: threading.Event,
    on_work: Callable[[], None],
    on_progress: Callable[[], None],
) -> PullState:
    """Connect and hand frames over until the camera is gone; return what is wrong with it."""
    try:
        camera = connect()
    except CameraGone as error:
        log.warning("camera unreachable", extra={"reason": str(error)})
        return PullState.UNREACHABLE
    on_work()
    try:
        while not stop.is_set() and (frame := camera.read()) is not None:
            writer.write(frame)
            on_progress()
    except CameraGone as error:
        log.warning("camera interrupted", extra={"reason": str(error)})
    finally:
        camera.close()
    return PullState.INTERRUPTED
