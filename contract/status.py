"""The device status: whether a device is there, what it runs, and what it has sent in place of video."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract import wire
from contract.caption import Name
from contract.errors import Refused
from contract.system import System
from contract.update import Update

MAX_COUNT: Final = 2**53
"""Every language's numbers are exact so far: nine petabytes."""

Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
Milliseconds = Annotated[float, Meta(ge=0)]


class State(StrEnum):
    """Whether the device speaks."""

    ONLINE = "online"
    OFFLINE = "offline"


class Ledger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words sent against the video they stand for, since the outbox was made."""

    frames: Count = 0
    """Frames looked at."""
    captions: Count = 0
    """Captions written to the outbox."""
    sent_bytes: Count = 0
    """MQTT payload and topic bytes of the captions published, repeats included."""
    video_bytes: Count = 0
    """Bytes of encoded video that carried the frames; for a raw camera, time seen at the configured bit rate."""
    waiting: Count = 0
    """Captions in the outbox that the server has not acknowledged."""
    given_up: Count = 0
    """Captions that left the outbox without an acknowledgement: pushed out when it was full, or refused."""
    not_schema: Count | msgspec.UnsetType = msgspec.UNSET
    """Rows of the outbox that the device itself did not send, because they are not of the contract; absent while there
    was none. Above 0, the device may have been tampered with."""
    set_aside: Count | msgspec.UnsetType = msgspec.UNSET
    """Damaged outboxes that were set aside, with the captions in them; absent while there was none. All counts began
    anew with the last one."""


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long one stage of the work takes, over the last few hundred times."""

    name: Annotated[str, Meta(min_length=1, max_length=24)]
    """The stage: `encode`, `decode`."""
    p50_ms: Milliseconds
    """Median, in milliseconds."""
    p95_ms: Milliseconds
    """95th percentile, in milliseconds."""


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which evidence on one danger counts at one camera."""

    danger: Annotated[str, Meta(min_length=1, max_length=32)]
    """The danger, as the bundle names it."""
    evidence: Annotated[float, Meta(ge=0, le=1)]
    """The threshold in force, 0 to 1."""
    calm: Annotated[float, Meta(ge=0, le=1)]
    """What this camera's calm seldom exceeds, 0 to 1; 0 while nothing has been learnt."""


class Calm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a camera has learnt of its own calm by the light that it sees by: day and night are learnt apart."""

    since: Annotated[datetime, Meta(tz=True)]
    """When it began to learn (RFC 3339, UTC)."""
    seconds: Count
    """Seconds of calm that it has learnt from."""
    known: bool
    """Whether that is enough for thresholds below the bundle's."""
    thresholds: Annotated[tuple[Threshold, ...], Meta(max_length=12)]
    """Each danger's threshold."""
    reason: Annotated[str, Meta(max_length=80)] = ""
    """Why it began anew, where it did: `damaged file`."""
    night: bool | msgspec.UnsetType = msgspec.UNSET
    """True while the camera sees by night or infrared light; absent by day."""


class Condition(StrEnum):
    """What is wrong with a camera's picture."""

    COVERED = "covered"
    """Something before the lens hides the view, or light blinds it: the picture is grey or white all over."""
    DARK = "dark"
    """Too dark to show anything."""
    DEFOCUSED = "defocused"
    """Blurred far beyond what is usual at this camera."""
    FROZEN = "frozen"
    """The very same picture again and again."""
    CORRUPT = "corrupt"
    """What a decoder writes in place of a picture that it did not receive."""
    MOVED = "moved"
    """The camera shows another view than before."""


class CameraCondition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that is wrong with one camera's picture."""

    stream: Name
    """Which camera of the device."""
    condition: Condition
    """What is wrong."""
    since: Annotated[datetime, Meta(tz=True)]
    """When it began, by the device's clock (RFC 3339, UTC)."""

    def __post_init__(self) -> None:
        wire.check_moment(self.since)


class Clock(StrEnum):
    """What is wrong with the device's clock; its captions say how old they are by another one."""

    UNSYNCHRONISED = "unsynchronised"
    """It has not had the time from the network since it started, or shows a time before its software was made."""
    STEPPED_BACK = "stepped_back"
    """It shows an earlier time than before."""


class Part(StrEnum):
    """What a device can fall back to the last good one of."""

    CONFIGURATION = "configuration"
    """`edge.yaml`."""
    BUNDLE = "bundle"
    """The model bundle."""


class Fallback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that a device does not use, because it cannot; it works with the last one that did."""

    part: Part
    """What it is."""
    reason: Annotated[str, Meta(max_length=120)]
    """Why: `edge.yaml:7: mqtt.hots`, `wordcam-1@2.5.0: self-test: ...`."""
    since: Annotated[datetime, Meta(tz=True)]
    """Since when, by the device's clock (RFC 3339, UTC)."""

    def __post_init__(self) -> None:
        wire.check_moment(self.since)


class CameraState(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of several cameras of a device."""

    stream: Name
    """Which camera."""
    frames: Count
    """Frames looked at since the process that watches it started."""
    captions: Count
    """Captions written since then."""
    reason: Annotated[str, Meta(max_length=80)] = ""
    """What is wrong with it, where something is: `camera gone: /dev/video1`."""


class Exposure(StrEnum):
    """What does not hold of a device's isolation, because its owner lets it."""

    NETWORK = "network"
    """The kernel refused to cut the process that sees off from the network; `allow_network` starts it all the same."""
    ROOT = "root"
    """Its processes run as root, and `as_root` lets them."""


class Status(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Retained: the birth message and the heartbeat say online, the last will says offline."""

    state: State
    """Whether the device speaks."""
    site: Name
    """Where the device is."""
    device: Name
    """Which device at that site."""
    since: Annotated[datetime, Meta(tz=True)]
    """When the device connected (RFC 3339, UTC); a last will carries the time of the connection that it ends."""
    at: Annotated[datetime, Meta(tz=True)] | None = None
    """When this message was written; a last will has none, because the device writes it in advance."""
    reason: Annotated[str, Meta(max_length=120)] = ""
    """Why the state is so, where there is more to say: `connection lost`, `camera gone: /dev/video0`."""
    version: Annotated[str, Meta(max_length=32)] = ""
    """Software version of the device."""
    model: Annotated[str, Meta(max_length=64)] = ""
    """Name and version of the model bundle."""
    ledger: Ledger | None = None
    """What was sent in place of video."""
    stages: Annotated[tuple[Stage, ...], Meta(max_length=12)] = ()
    """Latency of each stage of the work, in the order of the work."""
    calm: Calm | msgspec.UnsetType = msgspec.UNSET
    """What the camera has learnt of its own calm; absent where its bundle weighs no evidence."""
    conditions: Annotated[tuple[CameraCondition, ...], Meta(max_length=6)] | msgspec.UnsetType = msgspec.UNSET
    """What is wrong with the pictures of its cameras, the worst first; absent where nothing is."""
    cameras: Annotated[tuple[CameraState, ...], Meta(max_length=16)] | msgspec.UnsetType = msgspec.UNSET
    """Each camera of a device that has several; absent where it has one."""
    fallbacks: Annotated[tuple[Fallback, ...], Meta(max_length=4)] | msgspec.UnsetType = msgspec.UNSET
    """What the device does not use, working with the last good one; absent where it uses all as it stands."""
    clock: Clock | msgspec.UnsetType = msgspec.UNSET
    """What is wrong with its clock; absent where nothing is, or the device cannot say."""
    update: Update | msgspec.UnsetType = msgspec.UNSET
    """Where the device is with its model updates; absent where it takes none."""
    system: System | msgspec.UnsetType = msgspec.UNSET
    """Which system its card runs, and the last update of it; absent where it does not run wordcam's own image."""
    armed: bool | msgspec.UnsetType = msgspec.UNSET
    """False while someone has switched off watching: neither captions nor dangers then; absent while the device
    watches."""

    exposed: Annotated[tuple[Exposure, ...], Meta(max_length=4)] | msgspec.UnsetType = msgspec.UNSET
    """What does not hold of its isolation; absent where all of it holds."""

    evidence: bool | msgspec.UnsetType = msgspec.UNSET
    """True where the device keeps pictures of alarms for itself, sealed for its owner's key; absent where it writes no
    picture."""

    def __post_init__(self) -> None:
        for moment in (self.since, self.at):
            if moment is not None:
                wire.check_moment(moment)


def encode(status: Status) -> bytes:
    """Return the status as UTF-8 JSON; raises `Refused` ("too-large") over 2 KiB."""
    return wire.encode(status)


def decode(payload: bytes, *, site: str | None = None, device: str | None = None) -> Status:
    """Read a status; with `site` and `device` (from the topic it came on), refuse another device's.

    Raises `Refused` ("too-large", "not-utf8", "not-json", "schema", "not-ours").
    """
    status = wire.decode(payload, Status)
    if (site is not None and status.site != site) or (device is not None and status.device != device):
        raise Refused("not-ours", f"a status of {status.site}/{status.device} on the topic of {site}/{device}")
    return status
