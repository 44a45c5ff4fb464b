"""Turns passwords into argon2id hashes, and is the one door to argon2."""

import secrets
import threading
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_CHARS: Final = 12
"""Long enough that guessing through the login's brake is hopeless; NIST SP 800-63B asks for length, not for signs."""

MAX_CHARS: Final = 200
"""Room for any phrase, and an end to what one request may have hashed."""

AT_ONCE: Final = 2
"""Hashes computed at a time: each takes 64 MiB, and a flood of logins must not take the machine's memory."""

_hasher = PasswordHasher()
_turns = threading.BoundedSemaphore(AT_ONCE)


def refusal(password: str, *, name: str) -> str:
    """Say what is wrong with a new password, as a key of the console's words; "" where nothing is."""
    if len(password) < MIN_CHARS:
        return "password.short"
    if len(password) > MAX_CHARS:
        return "password.long"
    if name.lower() in password.lower() or len(set(password)) < 5:
        return "password.easy"
    return ""


def digest(password: str) -> str:
    """Hash a password, with its parameters and its salt in the result."""
    with _turns:
        return _hasher.hash(password)


def fits(password: str, hashed: str | None) -> bool:
    """Say whether a password is the one that was hashed; without a hash it never is, after just as long."""
    if len(password) > MAX_CHARS:
        return False
    with _turns:
        try:
            return _hasher.verify(hashed or _nobodys(), password) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False


def is_dated(hashed: str) -> bool:
    """Say whether a hash was made with other parameters than those of today."""
    return _hasher.check_needs_rehash(hashed)


@cache
def _nobodys() -> str:
    """Make a hash that no account has: a name that nobody has takes as long as a wrong password."""
    return _hasher.hash(secrets.token_urlsafe(16))
