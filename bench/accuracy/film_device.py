"""A device in this process that watches a film on the film's own clock, and gives the captions that it would send."""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from contract import caption
from contract.caption import Caption
from edge import config
from edge.infer.captioner import Captioner
from edge.infer.image import Picture
from edge.look.bundle.port import OneBundle
from edge.look.camera import replay
from edge.look.camera.replay import Replay, Shot
from edge.look.camera_port import Camera, Frame
from edge.look.capture_loop import Look
from edge.look.event import Eye
from edge.look.memory.camera_memory import CameraMemory
from edge.look.wall_clock import WallClock
from edge.outbox.outbox import Outbox

BEGIN: Final = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
"""When every film begins: on a Monday, at noon in Seoul."""

SITE: Final = "bench"
DEVICE: Final = "film"
STREAM: Final = "cam-0"

MAX_CAPTIONS: Final = 1_000_000

PAGE: Final = 500
"""Captions read from the outbox at once."""

Change = Callable[[Picture, float], Picture]
"""What weather or sensor make of a frame, BGR, taken at so many seconds."""


class Reel:
    """Films of one camera, played one after the other, and again from the first."""

    def __init__(self, films: Sequence[Path], looks_per_second: float) -> None:
        """Open them; raises `edge.errors.Misconfigured` for one that cannot be played."""
        self._films = [replay.open_film(film, looks_per_second) for film in films]

    @property
    def seconds(self) -> float:
        """How long they last together."""
        return math.fsum(film.seconds for film in self._films)

    def play(self) -> Iterator[Shot]:
        """Yield their shots in order, on one clock."""
        begin = 0.0
        for film in self._films:
            for shot in film.play():
                yield Shot(begin + shot.at, shot.bytes, shot.picture)
            begin += film.seconds


@dataclass
class FilmCamera:
    """A film played as fast as it can be looked at; each frame carries the moment at which a camera would take it."""

    inner: Camera
    change: Change | None = None
    until: float = math.inf
    """Seconds after which it ends."""
    seconds: float = 0.0
    """Time of the last frame."""

    @property
    def now(self) -> datetime:
        """The film's clock."""
        return BEGIN + timedelta(seconds=self.seconds)

    def read(self) -> Frame | None:
        """Return the next frame; raises `Misconfigured` where none can be decoded."""
        frame = self.inner.read()
        if frame is None or frame.at >= self.until:
            return None
        self.seconds = frame.at
        bgr = frame.bgr if self.change is None else self.change(frame.bgr, frame.at)
        return replace(frame, bgr=bgr, captured_at=self.now)

    def close(self) -> None:
        """Stop playing."""
        self.inner.close()


@dataclass(frozen=True, slots=True)
class Watched:
    """What became of one film."""

    captions: tuple[Caption, ...]
    seconds: float
    """How long it lasted."""


@dataclass(frozen=True, slots=True)
class FilmDevice:
    """The device's own loop with its shipped settings."""

    captioner: Captioner
    gate: config.Gate = field(default_factory=config.Gate)
    crops: config.Crops = field(default_factory=config.Crops)
    looks_per_second: float = 5.0

    def open(self, films: Sequence[Path], change: Change | None = None, until: float = math.inf) -> FilmCamera:
        """Open films as one camera; they begin again at their end where `until` is later.

        Raises `edge.errors.Misconfigured` for one that cannot be played.
        """
        settings = config.Replay(
            path=films[0], pace="fast", looks_per_second=self.looks_per_second, loop=until < math.inf
        )
        player = Replay(Reel(films, self.looks_per_second), settings, sleep=lambda _: None)
        return FilmCamera(player, change, until)

    def watch(self, camera: FilmCamera, folder: Path) -> Watched:
        """Watch a camera to its end; what the device keeps lies in `folder`, and is taken up where it lies there."""
        manifest = self.captioner.manifest
        eye = Eye(SITE, DEVICE, STREAM, manifest.model, manifest.language)
        with Outbox(folder / "outbox.sqlite", MAX_CAPTIONS) as outbox:
            Look(
                camera,
                self.captioner,
                outbox,
                eye,
                self.gate,
                crops=self.crops,
                remember=lambda manifest: CameraMemory.open(
                    outbox.path, manifest, eye.stream, now=BEGIN, now_seconds=0.0
                ),
                bundles=OneBundle(),
                fallback=None,
                on_work=lambda: None,
                on_progress=lambda: None,
                wall_clock=WallClock(lambda: BEGIN, lambda: 0.0, BEGIN),
                started_at=0.0,
                now=lambda: camera.now,
            ).run(threading.Event())
            camera.close()
            return Watched(tuple(_captions(outbox)), camera.seconds)


def _captions(outbox: Outbox) -> Iterator[Caption]:
    """Take every caption out of the outbox, the oldest first."""
    while page := outbox.waiting(limit=PAGE):
        yield from (caption.decode(found.payload) for found in page)
        outbox.settle(stored=[found.id for found in page])
