"""A network camera's address: its password put in to connect, and masked wherever anyone reads it."""

import re
import urllib.parse
from typing import Final

from edge.errors import Misconfigured

MASK: Final = "***"

PLACEHOLDER: Final = "{password}"
"""What stands in an address for the password, where the camera wants it there: `?user=viewer&password={password}`."""

_USER: Final = re.compile(r"(?<=//)[^/?#@]*(?:@[^/?#@]*)*(?=@)")
"""User name and password before the host."""

_VALUE: Final = re.compile(
    r"(?i)\b((?:user|pass|pwd|pw|login|token|secret|auth|sig|(?:api)?key)[a-z]*=)(?!\{password\})[^&/;#\s]+"
)
"""A value that a name like `password=` announces, in the query or, as some recorders want it, in the path."""


def masked(address: str) -> str:
    """Return the address as it may be logged: without user names, passwords and tokens."""
    return _VALUE.sub(rf"\1{MASK}", _USER.sub(MASK, address))


def with_password(address: str, username: str, password: str) -> str:
    """Return the address to connect to, which stays out of every message.

    Raises `Misconfigured` for a user name before the host, and for a placeholder without a password.
    """
    parts = urllib.parse.urlsplit(address)
    if "@" in parts.netloc:
        raise Misconfigured("`camera.url` holds a user name; put it into `camera.username` and `camera.password_file`")
    quoted = urllib.parse.quote(password, safe="")
    if PLACEHOLDER in address:
        if not password:
            raise Misconfigured(f"`camera.url` holds {PLACEHOLDER}, but there is no `camera.password_file`")
        return address.replace(PLACEHOLDER, quoted)
    if not username:
        return address
    user = f"{urllib.parse.quote(username, safe='')}:{quoted}"
    return urllib.parse.urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc}"))
