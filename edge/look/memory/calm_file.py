"""The file in which a camera keeps what it has learnt of its calm: numbers only, written whole or not at all."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract import wire
from edge.look.memory.calm import MAX_RISE, Bounds, Calm, CalmByLight
from foundation import whole_file

log = logging.getLogger(__name__)

FORMAT: Final = 2
"""2 has day and night apart. Of 1, which had them together, both begin with what was learnt."""

_TOGETHER: Final = 1

MAX_BYTES: Final = 1 << 18
"""A file of eight dangers has some twenty KiB; beyond this it is something else."""

NOBODY: Final = ""
"""Bundle of a file that holds nothing."""

Seconds = Annotated[float, Meta(ge=0)]


class LearntByNight(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was learnt by night and infrared light, as `Learnt` has it of the day."""

    seconds: Seconds = 0.0
    histograms: dict[str, dict[int, Seconds]] = msgspec.field(default_factory=dict)
    shifts: dict[str, Annotated[float, Meta(ge=-20, le=20)]] = msgspec.field(default_factory=dict)


class Learnt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of the file."""

    format: int = FORMAT
    """`2`, or `1`."""
    model: str
    """Bundle whose evidence it counts; another bundle's means something else."""
    stream: str
    """Camera whose calm it is."""
    since: Annotated[datetime, Meta(tz=True)]
    """When it began to learn."""
    seconds: Seconds
    """Calm time learnt from."""
    histograms: dict[str, dict[int, Seconds]]
    """Seconds by bin of evidence, of each danger."""
    shifts: dict[str, Annotated[float, Meta(ge=-20, le=20)]]
    """Log-odds by which each threshold lies above the bundle's."""
    night: LearntByNight = LearntByNight()
    """The same of the night; all else is of the day."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A camera's calm as the file has it, or a new one."""

    calm: CalmByLight
    since: datetime
    reason: str
    """Why it begins anew, where a file was there and could not be used; else ""."""


def path_beside(outbox: Path, one_of_several: str = "") -> Path:
    """Name the file: `outbox.calm.json` beside `outbox.sqlite`; `outbox.cam-1.calm.json` for one of several cameras."""
    return outbox.with_suffix(f".{one_of_several}.calm.json" if one_of_several else ".calm.json")


def load(path: Path, bounds: Mapping[str, Bounds], *, model: str, stream: str, now: datetime) -> Opened:
    """Read what was learnt; where there is nothing, or it cannot be used, begin anew and say why."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return Opened(CalmByLight.unknown(bounds), now, "")
    except OSError as error:
        return _anew(path, bounds, now, f"unreadable file: {error.strerror}")
    try:
        learnt = msgspec.json.decode(data, type=Learnt)
        wire.check_moment(learnt.since)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _anew(path, bounds, now, "damaged file")
    if learnt.model == NOBODY:
        return Opened(CalmByLight.unknown(bounds), now, "forgotten")
    if learnt.format not in {FORMAT, _TOGETHER} or (learnt.model, learnt.stream) != (model, stream):
        return _anew(path, bounds, now, f"learnt by {learnt.model} at {learnt.stream}")
    night = learnt if learnt.format == _TOGETHER else learnt.night
    return Opened(CalmByLight(_calm(learnt, bounds), _calm(night, bounds)), min(learnt.since, now), "")


def save(path: Path, calm: CalmByLight, *, model: str, stream: str, since: datetime) -> None:
    """Write the file in one step, so that a power cut leaves the old or the new one; raises `OSError`."""
    learnt = Learnt(
        model=model,
        stream=stream,
        since=since,
        seconds=round(calm.day.seconds, 1),
        histograms=_histograms(calm.day),
        shifts=dict(calm.day.shifts),
        night=LearntByNight(
            seconds=round(calm.night.seconds, 1), histograms=_histograms(calm.night), shifts=dict(calm.night.shifts)
        ),
    )
    _write(path, learnt)


def _histograms(calm: Calm) -> dict[str, dict[int, float]]:
    return {
        danger: {number: round(seconds, 3) for number, seconds in sorted(histogram.items())}
        for danger, histogram in calm.histograms.items()
    }


def forget(path: Path, now: datetime) -> None:
    """Write a file that holds nothing, from which a camera begins anew, also one that is being watched now.

    Raises `OSError`.
    """
    _write(path, Learnt(model=NOBODY, stream="", since=now, seconds=0.0, histograms={}, shifts={}))


def identity(path: Path) -> tuple[int, int] | None:
    """Return what changes when another process writes the file; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _write(path: Path, learnt: Learnt) -> None:
    whole_file.write(path, msgspec.json.encode(learnt) + b"\n", mode=0o664)


def _calm(learnt: Learnt | LearntByNight, bounds: Mapping[str, Bounds]) -> Calm:
    histograms = {danger: dict(learnt.histograms[danger]) for danger in bounds if danger in learnt.histograms}
    shifts = {
        danger: min(MAX_RISE, max(bound.lowest, learnt.shifts[danger]))  # however the file came to have it
        for danger, bound in bounds.items()
        if danger in learnt.shifts
    }
    return Calm(bounds, learnt.seconds, histograms, shifts)


def _anew(path: Path, bounds: Mapping[str, Bounds], now: datetime, why: str) -> Opened:
    log.warning("calm forgotten", extra={"file": str(path), "reason": why})
    return Opened(CalmByLight.unknown(bounds), now, why[:80])
