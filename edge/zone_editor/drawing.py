"""One drawing: from the picture and the areas that are there to those that were saved."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge import config
from edge.errors import Misconfigured
from edge.zone_editor import areas, still
from edge.zone_editor.areas import Areas
from edge.zone_editor.server import ZonePage
from foundation.errors import from_os_error

TURN_SECONDS: Final = 0.2
"""Time between two looks at whether anything was saved."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the page begins with."""

    jpeg: bytes
    drawn: Areas


def begin(path: Path | None, picture: Path | None, stream: str | None = None) -> Drawing:
    """Take the picture, or a frame of the configured camera, and the areas of the configuration; raises `Failure`."""
    camera: config.AnyCamera = config.V4l2() if path is None else config.load(path).of(stream).camera
    jpeg = still.of_camera(camera) if picture is None else still.of_file(picture, camera)
    return Drawing(jpeg, Areas(zones=camera.zones, masks=camera.masks))


@contextmanager
def served(drawing: Drawing, target: Path | None, port: int, stream: str | None = None) -> Iterator[ZonePage]:
    """Serve the page; `target` is the configuration that is changed, None for none. Raises `Failure`.

    `stream` names the camera where that has several.
    """

    def save(drawn: Areas) -> str:
        if target is None:
            return "printed by the program, in no file"
        _write(target, drawn, stream)
        return str(target)

    try:
        page = ZonePage(drawing.jpeg, drawing.drawn, save, port)
    except OSError as error:
        raise from_os_error(error, f"127.0.0.1:{port}") from error
    try:
        yield page
    finally:
        page.close()


def wait(page: ZonePage, stop: threading.Event) -> bool:
    """Wait until something is saved or `stop`; return whether it was saved."""
    while not (page.saved.is_set() or stop.wait(TURN_SECONDS)):
        pass
    return page.saved.is_set()


def invitation(page: ZonePage) -> list[str]:
    """Say where the page is."""
    return [
        f"Open {page.address} in a browser of this machine, draw, and save. Ctrl-C ends without a change.",
        f"From another machine, first: ssh -L {page.port}:127.0.0.1:{page.port} THIS-MACHINE",
    ]


def yaml_lines(page: ZonePage) -> list[str]:
    """Return the keys of the camera, as they were saved."""
    return areas.lines(page.areas)


def _write(path: Path, drawn: Areas, stream: str | None) -> None:
    """Put the areas into a configuration, whole or not at all; raises `Misconfigured`."""
    text = areas.put(path, drawn, stream)
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise Misconfigured(f"{path}: {error.strerror}; print them instead: wordcam-edge zones --print") from error
