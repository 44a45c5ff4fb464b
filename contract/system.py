"""The system of a device that has two of them on its card: which one runs, and what became of the last update of it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from contract import wire

Version = Annotated[str, Meta(max_length=48)]
"""Of a system: wordcam's version, when it was built and of what: `0.2.0+202611291259.7c1f3a2b`."""


class SystemProgress(StrEnum):
    """How far an update of the system is."""

    INSTALLING = "installing"
    """The other system of the card is being written."""
    TRYING = "trying"
    """It is written; it has yet to start and to have a caption acknowledged by the server."""
    RUNNING = "running"
    """It has done so: from now on the card starts with it."""
    REFUSED = "refused"
    """It was turned down before it was started; the system in use stays."""
    ROLLED_BACK = "rolled-back"
    """It was started and failed; the system before it runs again."""


class SystemReason(StrEnum):
    """Why an update of the system was not kept."""

    NO_KEYRING = "no-keyring"
    """This device's image was built without a certificate for updates, so that it takes none."""
    NOT_A_BUNDLE = "not-a-bundle"
    """The file is not a RAUC bundle, or only a part of one."""
    SIGNATURE = "signature"
    """It is not signed by a key that the system in use accepts."""
    INCOMPATIBLE = "incompatible"
    """It is for another kind of device."""
    OLDER_SYSTEM = "older-system"
    """It is older than the system in use."""
    ALTERED = "altered"
    """Its content is not what was signed."""
    NO_SPACE = "no-space"
    """It does not fit on the card."""
    NOT_WRITTEN = "not-written"
    """The card could not be written."""
    INTERRUPTED = "interrupted"
    """The power failed while it was being written."""
    DID_NOT_START = "did-not-start"
    """The new system was started twice and did not come up."""
    NO_SERVER = "no-server"
    """The new system came up, and the server acknowledged no caption in time."""


class System(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which system runs, and the last update of it; all but `version` is absent while there was no update."""

    version: Version
    """Of the system that runs."""
    progress: SystemProgress | None = None
    """How far the last update is."""
    offered: Version = ""
    """Version of that update, where its signature was verified."""
    reason: SystemReason | None = None
    """Why it was not kept, where it was not."""
    detail: Annotated[str, Meta(max_length=120)] = ""
    """What exactly, in English, for the log."""
    at: Annotated[datetime, Meta(tz=True)] | None = None
    """When it came to this stage, by the device's clock (RFC 3339, UTC)."""

    def __post_init__(self) -> None:
        if self.at is not None:
            wire.check_moment(self.at)
