"""Model updates: which model the server offers a device, and what the device says of it in its status."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract import wire
from contract.caption import Name
from contract.errors import Refused

Target = Annotated[str, Meta(pattern=r"^[a-z0-9-]+/[a-z0-9-]+-\d+\.\d+\.\d+\.tar" + wire.END, max_length=160)]
"""A package in the signed repository: `<device class>/<model>-<version>.tar`."""

STANDARD: Final = "standard"
"""Device class of a device, and of a package, that names none."""


class Offer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Retained: the package that one device should run. It names a package and proves nothing: that is what the
    signatures of the repository are for."""

    site: Name
    """Where the device is."""
    device: Name
    """Which device at that site."""
    at: Annotated[datetime, Meta(tz=True)]
    """When this message was written (RFC 3339, UTC)."""
    target: Target | None = None
    """The package; absent where the device keeps what it has: nothing is offered, or the offer was withdrawn."""

    def __post_init__(self) -> None:
        wire.check_moment(self.at)


class Progress(StrEnum):
    """How far an update is."""

    IDLE = "idle"
    """Nothing is offered."""
    WAITING = "waiting"
    """The repository cannot be reached; the device tries again."""
    DOWNLOADING = "downloading"
    """The package is being fetched and checked."""
    TESTING = "testing"
    """The package is whole and signed; the process that looks tries it on pictures."""
    RUNNING = "running"
    """The model of the offer is in use."""
    REFUSED = "refused"
    """The package was turned down before it was used; the model in use stays."""
    ROLLED_BACK = "rolled-back"
    """The model was in use, did badly, and the one before it is in use again."""


class Reason(StrEnum):
    """Why an offer was not taken."""

    UNREACHABLE = "unreachable"
    """The repository does not answer, or answers with an error."""
    SIGNATURE = "signature"
    """The repository's files are not signed by keys that count: altered, or by a key that was revoked."""
    OLD_METADATA = "old-metadata"
    """The repository's files are older than ones that this device has seen, or do not belong together."""
    EXPIRED = "expired"
    """The repository's signatures have expired: somebody keeps newer ones from this device, or nobody has renewed
    them."""
    TOO_LARGE = "too-large"
    """More was sent than is signed for or than any such file may have."""
    TOO_SLOW = "too-slow"
    """It was sent too slowly."""
    ALTERED = "altered"
    """The bytes of a file are not those that were signed for."""
    NOT_SIGNED_FOR = "not-signed-for"
    """The repository's signed list does not name the package."""
    DEVICE_CLASS = "device-class"
    """The package is for another class of devices."""
    OLDER_MODEL = "older-model"
    """The package's model is older than the one in use."""
    NOT_A_BUNDLE = "not-a-bundle"
    """What is in the package is not a model bundle that this device can read."""
    NO_SPACE = "no-space"
    """The disk has not enough room."""
    SELF_TEST = "self-test"
    """The model did not pass the device's test: it does not load, crashes, or describes known pictures badly."""
    CRASH = "crash"
    """The process that looks ended soon after it had begun to use the model."""
    CAPTIONS = "captions"
    """In use, the model saw dangers where this camera was calm."""


HALTING: Final = frozenset({Reason.DEVICE_CLASS, Reason.NOT_A_BUNDLE, Reason.SELF_TEST, Reason.CRASH, Reason.CAPTIONS})
"""Reasons that speak against the package itself: the server stops offering it when one device names one of them. The
others are about the way to one device."""


class Update(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a device is with its updates."""

    device_class: Name = STANDARD
    """Which packages it takes."""
    progress: Progress = Progress.IDLE
    """How far it is."""
    target: Target | None = None
    """The package that this is about."""
    reason: Reason | None = None
    """Why it was not taken, where it was not."""
    detail: Annotated[str, Meta(max_length=120)] = ""
    """What exactly, in English, for the log."""
    at: Annotated[datetime, Meta(tz=True)] | None = None
    """When it came to this stage, by the device's clock (RFC 3339, UTC)."""

    def __post_init__(self) -> None:
        if self.at is not None:
            wire.check_moment(self.at)


def encode(offer: Offer) -> bytes:
    """Encode as UTF-8 JSON."""
    return wire.encode(offer)


def decode(payload: bytes, *, site: str | None = None, device: str | None = None) -> Offer:
    """Read the message; with `site` and `device` (from the topic it came on), refuse another device's.

    Raises `Refused` ("too-large", "not-utf8", "not-json", "schema", "not-ours").
    """
    found = wire.decode(payload, Offer)
    if (site is not None and found.site != site) or (device is not None and found.device != device):
        raise Refused("not-ours", f"an offer for {found.site}/{found.device} on the topic of {site}/{device}")
    return found


def model_of(target: str) -> tuple[str, tuple[int, ...]]:
    """Return name and version of a package's model: `("wordcam-1", (2, 5, 0))` of `standard/wordcam-1-2.5.0.tar`."""
    stem = target.rpartition("/")[2].removesuffix(".tar")
    name, _, version = stem.rpartition("-")
    return name, tuple(int(part) for part in version.split("."))


def model_as_captions_name_it(target: str) -> str:
    """Return the model of a package as captions carry it: `wordcam-1@2.5.0`."""
    name, version = model_of(target)
    return f"{name}@{'.'.join(map(str, version))}"
