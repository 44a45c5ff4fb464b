"""The raised thresholds: what people called a false alarm, so that the camera no longer takes its like for a danger."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract import wire
from contract.caption import Name, Share
from contract.errors import Refused

MAX_RAISED: Final = 12
"""Thresholds in one message: with the longest names, twelve stay below 2 KiB."""


class Raised(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One danger that counts at one camera only above the evidence of its false alarm."""

    stream: Name
    """Which camera of the device."""
    danger: Annotated[str, Meta(min_length=1, max_length=32)]
    """The danger, as the bundle names it."""
    evidence: Share
    """Highest evidence of the false alarm, 0 to 1; the device limits how far it raises the threshold."""
    until: Annotated[datetime, Meta(tz=True)]
    """When it ends (RFC 3339, UTC)."""

    def __post_init__(self) -> None:
        wire.check_moment(self.until)


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Retained: every raised threshold of one device; an empty list takes all of them back."""

    site: Name
    """Where the device is."""
    device: Name
    """Which device at that site."""
    at: Annotated[datetime, Meta(tz=True)]
    """When this message was written (RFC 3339, UTC)."""
    raised: Annotated[tuple[Raised, ...], Meta(max_length=MAX_RAISED)] = ()
    """The thresholds, those that end last first."""

    def __post_init__(self) -> None:
        wire.check_moment(self.at)


def encode(thresholds: Thresholds) -> bytes:
    """Encode as UTF-8 JSON; raises `Refused` ("too-large") over 2 KiB."""
    return wire.encode(thresholds)


def decode(payload: bytes, *, site: str | None = None, device: str | None = None) -> Thresholds:
    """Read the message; with `site` and `device` (from the topic it came on), refuse another device's.

    Raises `Refused` ("too-large", "not-utf8", "not-json", "schema", "not-ours").
    """
    found = wire.decode(payload, Thresholds)
    if (site is not None and found.site != site) or (device is not None and found.device != device):
        raise Refused("not-ours", f"thresholds of {found.site}/{found.device} on the topic of {site}/{device}")
    return found
