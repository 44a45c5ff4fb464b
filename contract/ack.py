"""The acknowledgement: which captions the server has committed, so that the device may forget them."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract import wire

MAX_IDS: Final = 24
"""Ids in one acknowledgement: with 64 characters an id, 24 stay below 2 KiB."""

EventId = Annotated[str, Meta(min_length=1, max_length=64)]


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A caption that the server will never accept, so that sending it again is useless."""

    id: EventId
    """The refused event."""
    reason: Annotated[str, Meta(min_length=1, max_length=32)]
    """Why, as one of `contract.errors.REASONS`."""


class Ack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the server has done with the captions of one device."""

    stored: Annotated[tuple[EventId, ...], Meta(max_length=MAX_IDS)] = ()
    """Ids of events that are on the server's disk, also those it had already."""
    refused: Annotated[tuple[Refusal, ...], Meta(max_length=8)] = ()
    """Events that do not keep the contract."""


def encode(ack: Ack) -> bytes:
    """Return the acknowledgement as UTF-8 JSON; raises `Refused` ("too-large") over 2 KiB."""
    return wire.encode(ack)


def decode(payload: bytes) -> Ack:
    """Read an acknowledgement; raises `Refused`."""
    return wire.decode(payload, Ack)
