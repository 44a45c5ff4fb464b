"""Decodes what arrives on a topic: a caption, a status, or a message that breaks the contract."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import msgspec

from contract import ack, caption, status, topics
from contract.caption import Caption
from contract.errors import Refused
from contract.status import Status
from contract.topics import Address

MAX_SEARCHED_BYTES: Final = 1 << 16
"""An id is looked for in a refused message up to this size: 32 times what the contract allows."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """A payload and its topic. One is made of every caption, and a struct is made in a fifth of a dataclass's time."""

    topic: str
    payload: bytes
    packet_id: int | None = None
    """By which it is acknowledged to the MQTT server; None at QoS 0."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A message that does not keep the contract."""

    reason: str
    """One of `contract.errors.REASONS`."""
    detail: str
    topic: str
    payload: bytes
    address: Address | None
    """The device that gets the refusal; None where the topic is not ours."""
    event_id: str | None
    """The event to let go of, where it can be read."""


Reading = Caption | Status | Rejection


class _WithId(msgspec.Struct):
    id: ack.EventId


def read(message: Message) -> Reading:
    """Read one message; never raises, whatever the bytes are."""
    address: Address | None = None
    try:
        address = _address(message.topic)
        return _decode(message.payload, address)
    except Refused as refused:
        event_id = _find_id(message.payload) if address and address.channel == "caption" else None
        return Rejection(refused.reason, refused.detail, message.topic, message.payload, address, event_id)


@lru_cache(maxsize=1 << 14)
def _address(topic: str) -> Address:
    return topics.parse(topic)


def _decode(payload: bytes, address: Address) -> Caption | Status:
    match address.channel:
        case "caption":
            return _composed(caption.decode(payload, site=address.site, device=address.device))
        case "status":
            return status.decode(payload, site=address.site, device=address.device)
        case "ack" | "thresholds" | "update":
            raise Refused("not-ours", f"{address.channel!r} is written here, not read")


def _composed(event: Caption) -> Caption:
    """Return the caption with its text in composed form (NFC), in which rules, search and people write it."""
    if unicodedata.is_normalized("NFC", event.text):
        return event
    return msgspec.structs.replace(event, text=unicodedata.normalize("NFC", event.text))


def _find_id(payload: bytes) -> str | None:
    if len(payload) > MAX_SEARCHED_BYTES:
        return None
    try:
        return msgspec.json.decode(payload, type=_WithId).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
