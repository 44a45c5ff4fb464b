"""Sealing by age (C2SP age v1): with a public key anyone closes a file, and the private key alone opens it."""

import re
from pathlib import Path
from typing import Final

import pyrage
from pyrage import x25519

from edge.errors import Misconfigured
from foundation.errors import from_os_error

_WRONG_KEY: Final = "No matching keys"
_PRIVATE_KEY: Final = re.compile(r"AGE-SECRET-KEY-1[0-9A-Z]+")


class NotOpened(Misconfigured):
    """A sealed file that this key does not open, or that is not what was sealed."""


class Seal:
    """The owner's public key."""

    def __init__(self, public_key: str) -> None:
        """Raises `Misconfigured` for a key that was mistyped."""
        try:
            self._recipient = x25519.Recipient.from_str(public_key)
        except pyrage.RecipientError as error:
            raise Misconfigured(
                f"`evidence.public_key`: {error}; copy it anew from where `wordcam-edge evidence keygen` printed it"
            ) from error

    def close(self, content: bytes) -> bytes:
        """Return the content sealed: some 200 bytes more."""
        return bytes(pyrage.encrypt(content, [self._recipient]))


def new_key() -> tuple[str, str]:
    """Make a pair of keys; return the private one and the public one."""
    identity = x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def open_sealed(path: Path, key_file: Path) -> bytes:
    """Return what was sealed in a file, by the private key in another; raises `NotOpened`, `Misconfigured`."""
    identity = _identity(key_file)
    try:
        return bytes(pyrage.decrypt(_read(path), [identity]))
    except pyrage.DecryptError as error:
        if str(error).startswith(_WRONG_KEY):
            raise NotOpened(f"{path}: was not sealed for the key in {key_file}, or its beginning is damaged") from error
        raise NotOpened(f"{path}: is not whole: cut off, changed, or no sealed file ({error})") from error


def _identity(path: Path) -> x25519.Identity:
    """Read a private key as `keygen` and age-keygen write it: a line among comments."""
    found = _PRIVATE_KEY.search(_read(path).decode("utf-8", errors="replace"))
    if found is None:
        raise Misconfigured(f"{path}: holds no private key, a line that begins with AGE-SECRET-KEY-1")
    try:
        return x25519.Identity.from_str(found.group())
    except pyrage.IdentityError as error:
        raise Misconfigured(f"{path}: the private key is damaged: {error}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise from_os_error(error, str(path)) from error
