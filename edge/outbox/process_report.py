"""The note that each process of a device leaves in the outbox, for the other one and for the summary."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import fmean
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract.status import Calm, CameraCondition, CameraState, Clock, Fallback, Stage
from edge.errors import CameraGone
from edge.outbox.outbox import Outbox

LOOK: Final = "look"
SEND: Final = "send"
"""Names of the two processes."""


GONE: Final = "camera gone: "
"""How a reason begins where there is no camera."""

MAX_CONDITIONS: Final = 6
MAX_REASON: Final = 120
"""Characters of a reason that a device status carries."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How one process is doing."""

    model: Annotated[str, Meta(max_length=64)] = ""
    """Model bundle in use."""
    reason: Annotated[str, Meta(max_length=MAX_REASON)] = ""
    """What is wrong, where something is: `camera gone: /dev/video0`; at most `MAX_REASON` characters."""
    stages: Annotated[tuple[Stage, ...], Meta(max_length=12)] = ()
    """Latency of its stages."""
    first_caption_seconds: float | None = None
    """Time from the start of the process to its first caption."""
    sentence_ms: float | None = None
    """Mean wall time from a frame in memory to its sentence."""
    invoke_ms: float | None = None
    """Mean time of it inside the interpreters."""
    calm: Calm | None = None
    """What the camera has learnt of its own calm, where its bundle weighs evidence."""
    conditions: tuple[CameraCondition, ...] = ()
    """What is wrong with the camera's picture, the worst first."""
    fallbacks: tuple[Fallback, ...] = ()
    """What the process does not use, working with the last good one."""
    clock: Clock | None = None
    """What is wrong with the device's clock."""
    latest: Annotated[datetime, Meta(tz=True)] | None = None
    """Latest time that the clock has shown."""
    started: Annotated[datetime, Meta(tz=True)] | None = None
    """When the process began to watch: another time is another process."""
    frames: int = 0
    """Frames looked at since the process started."""
    captions: int = 0
    """Captions written since then."""
    cameras: tuple[CameraState, ...] = ()
    """Of several processes together, each one's camera."""
    dangers: tuple[str, ...] = ()
    """Dangers that stand now."""
    armed: bool = True
    """Whether it watches, as `look` says it."""
    keeps_evidence: bool = False
    """Whether it keeps sealed pictures of alarms."""


MAX_CAMERA_REASON: Final = 80
"""Characters of a reason that stands with one of several cameras."""

NOTHING: Final = Report()


def camera_gone(model: str, error: CameraGone) -> Report:
    """Say that there is no camera, and so no latency."""
    return Report(model=model, reason=f"{GONE}{error}"[:MAX_REASON])


def name(stream: str, *, is_one_of_several: bool) -> str:
    """Name the process that watches a camera."""
    return f"{LOOK}:{stream}" if is_one_of_several else LOOK


def forget_all_but(outbox: Outbox, streams: Sequence[str]) -> None:
    """Delete the notes of processes whose cameras the device no longer has."""
    kept = {name(stream, is_one_of_several=len(streams) > 1) for stream in streams}
    for known in (LOOK, *outbox.reporters(LOOK)):
        if known not in kept:
            outbox.forget_report(known)


def leave(outbox: Outbox, process: str, report: Report) -> None:
    """Write a process's note; raises what `Outbox.report` raises."""
    outbox.report(process, msgspec.json.encode(report))


def read(outbox: Outbox, process: str) -> Report:
    """Read a process's last note; an empty one where there is none, or another version's.

    Of several processes that each watch a camera, it is all their notes together.
    """
    several = outbox.reporters(process)
    if several:
        return _together({known.partition(":")[2]: _read(outbox, known) for known in several})
    return _read(outbox, process)


def _together(reports: Mapping[str, Report]) -> Report:
    """Put the notes of several cameras together, by their streams; the calm of each is its own."""
    notes = list(reports.values())
    sentences = [(note.sentence_ms, note.invoke_ms) for note in notes if note.sentence_ms and note.invoke_ms]
    wrong = [(stream, note.reason) for stream, note in reports.items() if note.reason]
    fallbacks = {fallback.part: fallback for note in notes for fallback in note.fallbacks}
    return Report(
        model=next((note.model for note in notes if note.model), ""),
        reason=_of_camera(*wrong[0])[:MAX_REASON] if wrong else "",
        stages=_slowest(notes),
        first_caption_seconds=max((note.first_caption_seconds or 0.0 for note in notes), default=0.0) or None,
        sentence_ms=round(fmean(sentence for sentence, _ in sentences), 3) if sentences else None,
        invoke_ms=round(fmean(invoke for _, invoke in sentences), 3) if sentences else None,
        conditions=tuple(condition for note in notes for condition in note.conditions)[:MAX_CONDITIONS],
        fallbacks=tuple(fallbacks.values()),
        clock=next((note.clock for note in notes if note.clock), None),
        latest=max((note.latest for note in notes if note.latest), default=None),
        started=max((note.started for note in notes if note.started), default=None),
        frames=sum(note.frames for note in notes),
        captions=sum(note.captions for note in notes),
        dangers=tuple(sorted({danger for note in notes for danger in note.dangers})),
        armed=all(note.armed for note in notes),
        keeps_evidence=any(note.keeps_evidence for note in notes),
        cameras=tuple(
            CameraState(stream, note.frames, note.captions, note.reason[:MAX_CAMERA_REASON])
            for stream, note in reports.items()
        ),
    )


def _of_camera(stream: str, reason: str) -> str:
    """Name the camera in a reason, which keeps its beginning: `camera gone: cam-1: /dev/video1`."""
    return f"{GONE}{stream}: {reason.removeprefix(GONE)}" if reason.startswith(GONE) else f"{stream}: {reason}"


def _slowest(notes: Sequence[Report]) -> tuple[Stage, ...]:
    """Return each stage at the camera where it takes longest."""
    slowest: dict[str, Stage] = {}
    for stage in (stage for note in notes for stage in note.stages):
        if stage.name not in slowest or stage.p50_ms > slowest[stage.name].p50_ms:
            slowest[stage.name] = stage
    return tuple(slowest.values())


def _read(outbox: Outbox, process: str) -> Report:
    body = outbox.reported(process)
    try:
        return msgspec.json.decode(body, type=Report) if body else NOTHING
    except msgspec.MsgspecError:
        return NOTHING


def refuse_unreadable(outbox: Outbox, process: str) -> bool:
    """Delete notes of a process that are none, so that they are counted once; say whether there were any."""
    found = [_refuse_unreadable(outbox, known) for known in (process, *outbox.reporters(process))]
    return any(found)


def _refuse_unreadable(outbox: Outbox, process: str) -> bool:
    body = outbox.reported(process)
    if body is None:
        return False
    try:
        msgspec.json.decode(body, type=Report)
    except msgspec.MsgspecError:
        outbox.refuse_report(process)
        return True
    return False


def stages(outbox: Outbox, processes: Sequence[str] = (LOOK, SEND)) -> tuple[Stage, ...]:
    """Return the stages of several processes in the order of the work."""
    return tuple(stage for process in processes for stage in read(outbox, process).stages)
