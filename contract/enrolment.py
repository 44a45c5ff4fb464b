"""How a device gets its certificate: the invitation that it is given, its request, and the answer."""

from datetime import datetime
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

from contract.caption import Name
from contract.errors import Refused

LONGEST_BYTES: Final = 32_000
"""Of an invitation, a request or an answer; those that are made are below 4 KB."""

Part = TypeVar("Part", bound=msgspec.Struct)

TOKEN: Final = r"^[A-Za-z0-9_-]{43}$"  # noqa: S105 - the shape of one: 32 random bytes in base64

Pem = Annotated[str, Meta(min_length=1, max_length=16_000, description="PEM (RFC 7468)")]
Token = Annotated[str, Meta(pattern=TOKEN, description="43 of A-Z, a-z, 0-9, _ and -")]


class Invitation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `wordcam-broker enroll` writes and `wordcam-edge enroll` reads: one device, once, until a moment."""

    version: Literal[1] = 1
    site: Name
    device: Name
    url: Annotated[str, Meta(pattern=r"^https?://[^/\s]+$", description="an address without a path")]
    """Address of the console, which answers the request."""
    token: Token
    authority: Pem
    """Certificate of the site's authority: by it the device knows console and MQTT server."""
    mqtt_host: Annotated[str, Meta(min_length=1, max_length=253)]
    mqtt_port: Annotated[int, Meta(ge=1, le=65535)] = 8883
    until: Annotated[datetime, Meta(tz=True)]
    """When the token expires (RFC 3339)."""


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the device posts to `/enrol`: its key never leaves it."""

    token: Token
    request: Pem
    """Certificate signing request (PKCS #10, RFC 2986); its subject is ignored, for the token says who asks."""


class Models(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a device finds new models, and whose signatures count for them."""

    url: Annotated[str, Meta(pattern=r"^https?://\S+$", max_length=400, description="an address")]
    """Address of the repository."""
    root: Annotated[str, Meta(min_length=1, max_length=16_000)]
    """The repository's root, a file of JSON that is signed by itself (The Update Framework, section 4.3)."""


class Certified(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answer."""

    certificate: Pem
    """The device's certificate; its common name is `site/device`."""
    authority: Pem
    models: Models | msgspec.UnsetType = msgspec.UNSET
    """Model updates; absent where the server has none."""


def read(payload: bytes, kind: type[Part]) -> Part:
    """Read one of the three; raises `Refused` ("too-large", "schema")."""
    if len(payload) > LONGEST_BYTES:
        raise Refused("too-large", f"{len(payload)} bytes are more than {LONGEST_BYTES}")
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused("schema", str(error)) from error
