"""Replay: a video file or a folder of pictures in place of a camera."""

import logging
import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from edge import config
from edge.errors import Misconfigured
from edge.infer import image
from edge.infer.image import Picture
from edge.look.camera import video
from edge.look.camera.pace import Sleep
from edge.look.camera.video import Decoded, NotOpened, Video
from edge.look.camera_port import Frame

log = logging.getLogger(__name__)

PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
"""Endings of the files in a folder that are taken for pictures."""

SLACK_SECONDS: Final = 0.001
"""By so much a frame may come early."""

USUAL_RATE: Final = 25.0
"""Frames per second of a file that does not say."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame of a film."""

    at: float
    """Seconds from the film's beginning."""
    bytes: float
    """Its share of the file."""
    picture: Callable[[], Picture | None]
    """Turn it into BGR; None where it is broken."""
    is_damaged: bool = False
    """Whether the decoder guessed parts of it."""


class Film(Protocol):
    """Something that can be played from its beginning, again and again."""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        ...

    def play(self) -> Iterator[Shot]:
        """Return its shots in order."""
        ...


class Replay:
    """A film played as a camera."""

    def __init__(
        self,
        film: Film,
        settings: config.Replay,
        *,
        sleep: Sleep = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._film = film
        self._settings = settings
        self._sleep, self._clock, self._now = sleep, clock, now
        self._shots = self._play()
        self._begin: float | None = None

    def read(self) -> Frame | None:
        """Return the next frame to look at, at its time if the pace is real; None at the end.

        Raises `Misconfigured` where not one frame can be decoded.
        """
        return next(self._shots, None)

    def close(self) -> None:
        """Stop playing."""
        self._shots.close()

    def _play(self) -> Generator[Frame, None, None]:
        turn = 0
        given = 0
        while True:
            for frame in self._once(turn * self._film.seconds):
                given += 1
                yield frame
            if not given:
                raise Misconfigured(
                    f"{self._settings.path}: not one frame of it can be decoded; set another `camera.path`"
                )
            if not self._settings.loop:
                return
            turn += 1

    def _once(self, begin: float) -> Iterator[Frame]:
        """Play the film from beginning to end, starting at `begin` seconds on the camera's clock."""
        period = 1 / self._settings.looks_per_second
        due, bytes_since = 0.0, 0.0
        for shot in self._film.play():
            bytes_since += shot.bytes
            # A millisecond of slack, to which some files round: a film of 5 frames a second, looked at 5 times a
            # second, is looked at whole.
            if shot.at < due - SLACK_SECONDS or self._is_late(begin + shot.at):
                continue
            picture = shot.picture()
            if picture is None:
                continue
            self._wait(begin + shot.at)
            yield Frame(picture, self._now(), begin + shot.at, bytes_since, shot.is_damaged)
            due, bytes_since = (due if shot.at - due < period else shot.at) + period, 0.0

    def _is_late(self, at: float) -> bool:
        """Whether a live camera would have dropped this frame while we were busy."""
        if self._settings.pace == "fast" or self._begin is None:
            return False
        return self._clock() - self._begin > at + 1 / self._settings.looks_per_second

    def _wait(self, at: float) -> None:
        if self._begin is None:
            self._begin = self._clock() - at
        early = self._begin + at - self._clock()
        if self._settings.pace == "real" and early > 0:
            self._sleep(early)


class VideoFile:
    """A video file; each frame has the time that the file says, at whatever rate they come."""

    def __init__(self, path: Path, max_side: int = image.MAX_SIDE) -> None:
        """Open it to see what it is, to be shrunk to a longest side; raises `Misconfigured`."""
        self._path, self._max_side = path, max_side
        with self._open() as opened:
            self._rate = opened.rate or USUAL_RATE
            self._frames = opened.length or 0
        self._bytes = path.stat().st_size / self._frames if self._frames else 0.0
        self.seconds = self._frames / self._rate

    def play(self) -> Iterator[Shot]:
        """Decode the file; a file that ends before its header says is logged, and ends."""
        number, begin, at = 0, 0.0, 0.0
        with self._open() as opened:
            for frame in opened.frames():
                told = math.nan if frame.time is None else frame.time
                begin = told if not number else begin
                at = _time_of(number, told - begin, at, self._rate)
                yield Shot(at, self._bytes, partial(self._picture, frame), bool(frame.is_corrupt))
                number += 1
        expected, self.seconds = self.seconds, at + 1 / self._rate if number else 0.0
        # Of a film of varying rate, its header's count is a guess, and its length is not.
        if number < self._frames and self.seconds + 1 / self._rate < expected:
            log.warning("clip ends early", extra={"file": str(self._path), "frame": number, "of": self._frames})

    def _picture(self, frame: Decoded) -> Picture:
        bgr = np.asarray(video.pixels(frame, self._max_side), np.uint8)
        return image.turned(bgr, frame.rotation)

    def _open(self) -> Video:
        try:
            return Video(str(self._path.absolute()))
        except NotOpened as error:
            raise Misconfigured(f"{self._path}: not a video that can be played; set another `camera.path`") from error


class Folder:
    """The pictures of a folder in the order of their names, each shown as long as one look lasts."""

    def __init__(self, path: Path, looks_per_second: float) -> None:
        """List it; raises `Misconfigured` where it holds no picture."""
        self._files = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURES)
        if not self._files:
            raise Misconfigured(f"{path}: no picture in this folder ({', '.join(sorted(PICTURES))})")
        self._period = 1 / looks_per_second
        self.seconds = len(self._files) * self._period

    def play(self) -> Iterator[Shot]:
        """Yield each picture once; a broken one is logged, and left out."""
        for number, file in enumerate(self._files):
            yield Shot(number * self._period, file.stat().st_size, lambda file=file: _read(file))  # type: ignore[misc]


def open_camera(settings: config.Replay, sleep: Sleep) -> Replay:
    """Open the file or folder; raises `Misconfigured` naming it."""
    film = open_film(settings.path, settings.looks_per_second, settings.max_side)
    return Replay(film, settings, sleep=sleep)


def open_film(path: Path, looks_per_second: float, max_side: int = image.MAX_SIDE) -> Film:
    """Open a video file, or a folder of pictures as a film of so many a second; raises `Misconfigured` naming it.

    A film's pictures are shrunk to a longest side.
    """
    if not path.exists():
        raise Misconfigured(f"{path}: no such file or folder; set `camera.path`")
    return Folder(path, looks_per_second) if path.is_dir() else VideoFile(path, max_side)


def _time_of(number: int, told: float, before: float, rate: float) -> float:
    """Return when a frame is to be seen: as the file says, unless it says nothing, or goes back in time."""
    if not number:
        return 0.0
    return told if math.isfinite(told) and told > before else before + 1 / rate


def _read(file: Path) -> Picture | None:
    try:
        return image.read_bgr(file)
    except image.Unreadable as error:
        log.warning("picture left out", extra={"reason": str(error)})
        return None
