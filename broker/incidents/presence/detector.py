"""Decides whether a device is lost: offline, silent, without a camera, new frames or a picture that shows anything."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from broker.config.incidents import PresenceSettings
from contract.status import Condition, State

NO_CAMERA: Final = "camera gone"
"""How the reason in a status begins where a device speaks and has no camera; see `contract.status.Status.reason`."""

CONDITION: Final = "camera condition "
"""How the reason that is kept of a device begins where its status holds a camera condition, which follows."""


class Cause(StrEnum):
    """Why a device is lost."""

    GONE = "gone"
    """It disconnected, or the MQTT server published its last will."""
    QUIET = "quiet"
    """It is connected and sends nothing."""
    NO_CAMERA = "no-camera"
    """It reports that its camera is gone."""
    NO_PICTURE = "no-picture"
    """It reports, and has processed no new frame."""
    COVERED = Condition.COVERED.value
    DARK = Condition.DARK.value
    DEFOCUSED = Condition.DEFOCUSED.value
    FROZEN = Condition.FROZEN.value
    CORRUPT = Condition.CORRUPT.value
    MOVED = Condition.MOVED.value
    """It reports that its camera is in this condition."""

    @property
    def is_blind(self) -> bool:
        """Whether the device itself is there."""
        return self not in (Cause.GONE, Cause.QUIET)

    @property
    def is_condition(self) -> bool:
        """Whether the camera delivers pictures, and something is wrong with them."""
        return self.value in frozenset(Condition)


DANGER: Final = "device-lost"
"""What kind of danger it is, for recipients, silences and escalations."""


@dataclass(frozen=True, slots=True)
class Presence:
    """What is known of a device, by this server's clock."""

    site: str
    device: str
    state: State
    reason: str
    heard_at: datetime
    """When it sent something itself, captions included."""
    changed_at: datetime
    """When its state last changed, or the kind of its reason."""
    frames_at: datetime | None
    """When its count of frames last grew; None where it counts none."""


@dataclass(frozen=True, slots=True)
class Outage:
    """What is wrong with a device, and when it counts as lost."""

    cause: Cause
    since: datetime
    """Its last message or, without a camera or frames, its last frame."""
    lost_at: datetime
    """When it counts as lost."""
    reason: str
    """As the device gave it, if it gave one."""


def judge(known: Presence, *, now: datetime, settings: PresenceSettings) -> Outage | None:
    """Return what is wrong with a device; None where nothing is.

    An outage is found early, so that one notification covers a site whose devices go one after the other.
    """
    if known.state is State.OFFLINE:
        lost_at = known.changed_at + timedelta(seconds=settings.offline_seconds)
        return Outage(Cause.GONE, known.heard_at, lost_at, known.reason)
    quiet = timedelta(seconds=settings.quiet_seconds)
    if now - known.heard_at > quiet / 2:
        return Outage(Cause.QUIET, known.heard_at, known.heard_at + quiet, "")
    if known.reason.startswith(NO_CAMERA):
        lost_at = known.changed_at + timedelta(seconds=settings.offline_seconds)
        return Outage(Cause.NO_CAMERA, known.changed_at, lost_at, known.reason)
    blind = timedelta(seconds=settings.blind_seconds)
    # By its own count: between two of its statuses nobody knows whether frames arrive.
    if known.frames_at is not None and known.heard_at - known.frames_at >= blind:
        return Outage(Cause.NO_PICTURE, known.frames_at, known.frames_at + blind, "")
    return _condition(known, settings)


def _condition(known: Presence, settings: PresenceSettings) -> Outage | None:
    """Return the camera condition that a device reports, unless the settings leave it out."""
    if not known.reason.startswith(CONDITION):
        return None
    name, _, stream = known.reason.removeprefix(CONDITION).partition(": ")
    condition = Condition(name)
    if condition not in settings.conditions:
        return None
    lost_at = known.changed_at + timedelta(seconds=settings.condition_seconds)
    return Outage(Cause(condition.value), known.changed_at, lost_at, stream)
