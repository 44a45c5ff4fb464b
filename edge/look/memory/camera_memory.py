"""A camera's memory with its file: opened for one bundle and stream, saved now and then, described for the status."""

import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, Self

import msgspec

from contract import status
from contract.bundle import Manifest
from edge.infer.image import Picture
from edge.look.memory import calm_file, reading
from edge.look.memory.calm import Bounds
from edge.look.memory.calm_file import Opened
from edge.look.memory.danger_memory import Attention, DangerMemory
from edge.look.memory.light import Light, LightSwitch

log = logging.getLogger(__name__)

SAVE_SECONDS: Final = 600.0
"""Time between two writes of what was learnt: a power cut forgets no more than that, and the card is spared."""

MAX_DESCRIBED: Final = 12
"""Thresholds that a status carries."""

DIGITS: Final = 3


class CameraMemory:
    """What one camera remembers, and where that is kept."""

    def __init__(self, path: Path, manifest: Manifest, stream: str, opened: Opened, now_seconds: float) -> None:
        """`now_seconds` is the time on the clock of `keep`; `open` does all."""
        self.calm, self._switch = opened.calm, LightSwitch()
        self.dangers = DangerMemory(manifest.evidence, self.calm.of(self._switch.light))
        self._path, self._bounds, self._model, self._stream = path, bounds(manifest), manifest.model, stream
        self._since, self._reason = opened.since, opened.reason
        self._saved_at = now_seconds
        self._identity = calm_file.identity(path)

    @classmethod
    def open(  # noqa: PLR0913  # a camera, its bundle and two clocks
        cls,
        outbox: Path,
        manifest: Manifest,
        stream: str,
        *,
        now: datetime,
        now_seconds: float,
        is_one_of_several: bool = False,
    ) -> Self:
        """Take up what is kept beside the outbox; what cannot be used is begun anew, and the status says why."""
        path = calm_file.path_beside(outbox, stream if is_one_of_several else "")
        opened = calm_file.load(path, bounds(manifest), model=manifest.model, stream=stream, now=now)
        return cls(path, manifest, stream, opened, now_seconds)

    @property
    def light(self) -> Light:
        """What the camera sees by; its calm and its thresholds are those of this light."""
        return self._switch.light

    def see(self, picture: Picture, at: float) -> None:
        """Find out by a picture, uint8 [H, W, 3], whether it is day or night; not while a danger may be there."""
        if not self._switch.is_due(at):
            return
        is_calm = self.dangers.attention is Attention.CALM
        since = self._switch.look(picture, at, may_change=is_calm)
        if since is not None:
            self.dangers.use(self.calm.of(self.light), since=since)
            log.info("light changed", extra={"stream": self._stream, "light": self.light.value})

    def keep(self, now: datetime, now_seconds: float) -> None:
        """Write the file where that is due; where another process has written it, take over what it says."""
        if calm_file.identity(self._path) != self._identity:
            opened = calm_file.load(self._path, self._bounds, model=self._model, stream=self._stream, now=now)
            self.calm = opened.calm
            self.dangers.begin_anew(self.calm.of(self.light))
            self._since, self._reason = opened.since, opened.reason or "file removed"
            self._identity = calm_file.identity(self._path)
        elif now_seconds - self._saved_at >= SAVE_SECONDS:
            self._saved_at = now_seconds
            self.save()

    def save(self) -> None:
        """Write the file; where that fails, what was learnt stays in memory, and a line is logged."""
        if not (self.calm.day.seconds or self.calm.night.seconds):
            return
        try:
            calm_file.save(self._path, self.calm, model=self._model, stream=self._stream, since=self._since)
            self._identity = calm_file.identity(self._path)
        except OSError as error:
            log.warning("calm not saved", extra={"file": str(self._path), "reason": error.strerror or str(error)})

    def describe(self, now: datetime) -> status.Calm | None:
        """Say what was learnt, and from which evidence each danger counts; None where the bundle weighs none."""
        calm = self.dangers.calm
        if not calm.bounds:
            return None
        return status.Calm(
            since=self._since,
            seconds=int(calm.seconds),
            known=calm.known,
            thresholds=tuple(self._threshold(danger, now) for danger in list(calm.bounds)[:MAX_DESCRIBED]),
            reason=self._reason,
            night=True if self.light is Light.NIGHT else msgspec.UNSET,
        )

    def _threshold(self, danger: str, now: datetime) -> status.Threshold:
        calm = self.dangers.calm_evidence(danger)
        return status.Threshold(danger, round(self.dangers.threshold(danger, now), DIGITS), round(calm, DIGITS))


def bounds(manifest: Manifest) -> Mapping[str, Bounds]:
    """Return how far each danger's threshold may move at a camera."""
    own = {} if manifest.own_calm is msgspec.UNSET else manifest.own_calm
    return {
        danger: Bounds(reading.log_odds(own[danger].floor) - reading.log_odds(threshold), own[danger].quantile)
        if danger in own
        else Bounds()
        for danger, threshold in manifest.evidence.items()
    }
