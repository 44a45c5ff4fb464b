"""How a message becomes bytes and how bytes become a message, the same for every kind of message."""

from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeVar

import msgspec

from contract.errors import Refused

Message = TypeVar("Message", bound=msgspec.Struct)

MAX_BYTES: Final = 2048
"""Limit of a whole message: a caption needs about 700 bytes, and no picture fits into 2 KiB by accident."""

SPEC_VERSION: Final = "1.0"
"""CloudEvents version whose attribute names the messages use (cloudevents.io, core specification 1.0)."""

END: Final = r"(?![\s\S])"
"""End of input in a pattern: `$` means the same in JSON Schema, but lets a last line feed pass in Python."""

NAME: Final = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?" + END
"""A site, device or stream: a DNS label (RFC 1123), so that it can be a topic level, a host name and a file name."""

YEARS: Final = range(1970, 2200)
"""Years that a moment may lie in: a board without a clock begins in 1970, and at the ends of Python's calendar there is
no room for another time zone."""

_encoder = msgspec.json.Encoder()


def encode(message: msgspec.Struct) -> bytes:
    """Return the message as UTF-8 JSON on one line.

    Raises `Refused` ("too-large") over `MAX_BYTES`.
    """
    payload = _encoder.encode(message)
    if len(payload) > MAX_BYTES:
        raise Refused("too-large", f"the message has {len(payload)} bytes, at most {MAX_BYTES} are allowed")
    return payload


def decode(payload: bytes, kind: type[Message]) -> Message:
    """Read one message of a kind.

    Raises `Refused`: "too-large", "not-utf8", "not-json" or "schema", the last naming the field.
    """
    if len(payload) > MAX_BYTES:
        raise Refused("too-large", f"the message has {len(payload)} bytes, at most {MAX_BYTES} are allowed")
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("not-utf8", f"byte {error.start} of the message is not UTF-8") from error
    try:
        message: Message = _decoder(kind).decode(payload)
    except msgspec.ValidationError as error:
        raise Refused("schema", str(error)) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refused("not-json", str(error)) from error
    return message


@cache
def _decoder(kind: type[Message]) -> msgspec.json.Decoder[Message]:
    return msgspec.json.Decoder(kind)


def check_moment(moment: datetime) -> None:
    """Raise `ValueError` for a moment that is not in UTC, or that no clock can show."""
    # The decoder gives this very object for `Z`; another zone with offset 0 is as correct.
    if moment.tzinfo is not UTC and moment.utcoffset() != UTC.utcoffset(None):
        raise ValueError(f"{moment.isoformat()} is not in UTC")
    if moment.year not in YEARS:
        raise ValueError(f"{moment.isoformat()} is not from {YEARS.start} to {YEARS.stop - 1}")


def schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a kind of message."""
    return msgspec.json.schema(kind)
