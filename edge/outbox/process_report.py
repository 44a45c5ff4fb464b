"""The note that each process of a device leaves in the outbox, for the other one and for the summary."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract.status import Calm, CameraCondition, Clock, Fallback, Stage
from edge.errors import CameraGone
from edge.outbox.outbox import Outbox

LOOK: Final = "look"
SEND: Final = "send"
"""Names of the two processes."""


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


NOTHING: Final = Report()


def camera_gone(model: str, error: CameraGone) -> Report:
    """Say that there is no camera, and so no latency."""
    return Report(model=model, reason=f"camera gone: {error}"[:MAX_REASON])


def leave(outbox: Outbox, process: str, report: Report) -> None:
    """Write a process's note; raises what `Outbox.report` raises."""
    outbox.report(process, msgspec.json.encode(report))


def read(outbox: Outbox, process: str) -> Report:
    """Read a process's last note; an empty one where there is none, or another version's."""
    body = outbox.reported(process)
    try:
        return msgspec.json.decode(body, type=Report) if body else NOTHING
    except msgspec.MsgspecError:
        return NOTHING


def refuse_unreadable(outbox: Outbox, process: str) -> bool:
    """Delete a process's note where it is none, so that it is counted once; say whether it was."""
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
