"""What the demo looks at: a rendered film of a fire, a clip of the user's, or this machine's camera."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import fire_scene
from demo.errors import Stuck
from demo.words import Words
from edge.look.camera import video_devices


@dataclass(frozen=True, slots=True)
class Source:
    """Something to look at, as people call it, and as the `camera` part of edge.yaml."""

    name: str
    camera: dict[str, Any]
    live: bool


def rendered(folder: Path, said: Words) -> Source:
    """Render the film of a fire into a folder; raises `Stuck` where it cannot be written."""
    film = folder / "yard.mp4"
    fire_scene.write(film)
    return _replay(film, said.rendered.format(film=film), stream="yard")


def clip(path: Path) -> Source:
    """Take a clip of the user's; raises `Stuck` where it is not there."""
    return _replay(path, str(path), stream="clip")


def camera(said: Words, devices: Path = Path("/dev")) -> Source:
    """Take the first camera of this machine; raises `Stuck` where there is none."""
    found = next((device for device in video_devices.found(devices) if not device.is_ribbon), None)
    if found is None:
        raise Stuck("no camera is found on this machine: leave --camera out, or name a film with --clip FILE")
    keys = {"kind": "v4l2", "device": str(found.path), "stream": "camera"}
    return Source(said.camera.format(card=found.card, device=found.path), keys, live=True)


def _replay(path: Path, name: str, *, stream: str) -> Source:
    if not path.exists():
        raise Stuck(f"{path} is not there: name a video file, or a folder of pictures")
    return Source(name, {"kind": "replay", "path": str(path.resolve()), "pace": "real", "stream": stream}, live=False)
