"""Decides whether a device is lost: it has gone, says nothing, or sees nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from broker.config.incidents import PresenceSettings
from contract.status import State

NO_CAMERA: Final = "camera gone"
"""How the reason in a status begins where a device speaks and has no camera; see `contract.status.Status.reason`."""


class Cause(StrEnum):
    """Why a device is lost."""

    GONE = "gone"
    """It has said goodbye, or the MQTT server said so in its name (its last will)."""
    QUIET = "quiet"
    """It should speak, and does not."""
    NO_CAMERA = "no-camera"
    """It speaks, and says that its camera is gone."""
    NO_PICTURE = "no-picture"
    """It speaks, and has looked at no new frame."""

    @property
    def is_blind(self) -> bool:
        """Whether the device itself is there."""
        return self in (Cause.NO_CAMERA, Cause.NO_PICTURE)


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
    """When it said something itself, captions included."""
    changed_at: datetime
    """When its state last changed, or the kind of its reason."""
    frames_at: datetime | None
    """When its count of frames last grew; None where it counts none."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Something is wrong with a device, if it does not come back in time."""

    cause: Cause
    since: datetime
    """When it was last heard or, of one that is blind, when it last saw."""
    lost_at: datetime
    """When patience with it ends."""
    reason: str
    """What the device itself gave as its reason, if anything."""


def judge(known: Presence, *, now: datetime, settings: PresenceSettings) -> Outage | None:
    """Find what is wrong with a device; None where it is well.

    A lapse is found early, so that a site whose devices go one after the other can be told of once.
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
    # By what it says itself: between two of its statuses nobody knows whether it sees.
    if known.frames_at is not None and known.heard_at - known.frames_at >= blind:
        return Outage(Cause.NO_PICTURE, known.frames_at, known.frames_at + blind, "")
    return None
