"""Which Video4Linux devices of this machine are cameras, and what they are called."""

import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_QUERY_CAPABILITIES: Final = 0x80685600
"""VIDIOC_QUERYCAP of Linux' videodev2.h: reads the 104 bytes of `struct v4l2_capability`."""
_BYTES: Final = 104
_DRIVER: Final = slice(0, 16)
_CARD: Final = slice(16, 48)
_DEVICE_CAPABILITIES: Final = slice(88, 92)
_VIDEO_CAPTURE: Final = 0x1

RIBBON_DRIVERS: Final = frozenset({"unicam", "rp1-cfe"})
"""Drivers of a Raspberry Pi's ribbon connector: raw pixels, which picamera2 alone turns into pictures."""


@dataclass(frozen=True, slots=True)
class VideoDevice:
    """A device that captures video."""

    path: Path
    driver: str
    card: str
    """Its name for people."""

    @property
    def is_ribbon(self) -> bool:
        """Whether it is a ribbon camera, to be used by picamera2."""
        return self.driver in RIBBON_DRIVERS


def found(folder: Path = Path("/dev")) -> Iterator[VideoDevice]:
    """Yield the devices that capture video, by number."""
    nodes = [path for path in folder.glob("video*") if path.name.removeprefix("video").isdecimal()]
    for path in sorted(nodes, key=lambda path: int(path.name.removeprefix("video"))):
        if (device := query(path)) is not None:
            yield device


def query(path: Path) -> VideoDevice | None:
    """Ask a device what it is; None where it cannot be opened, or is not a camera."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
    answer = bytearray(_BYTES)
    try:
        fcntl.ioctl(handle, _QUERY_CAPABILITIES, answer)
    except OSError:
        return None
    finally:
        os.close(handle)
    return read(path, bytes(answer))


def read(path: Path, answer: bytes) -> VideoDevice | None:
    """Read a `struct v4l2_capability`; None where the device does not capture video."""
    if not int.from_bytes(answer[_DEVICE_CAPABILITIES], "little") & _VIDEO_CAPTURE:
        return None
    driver, card = (answer[part].partition(b"\0")[0].decode(errors="replace") for part in (_DRIVER, _CARD))
    return VideoDevice(path, driver, card)
