"""Hashes passwords by argon2id and judges new ones by zxcvbn; no other module imports either library."""

import secrets
import threading
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_CHARS: Final = 12
"""NIST SP 800-63B asks for length, and for a comparison with common passwords, not for kinds of characters."""

MAX_CHARS: Final = 200
"""Room for any phrase, and a limit to what one request may have hashed."""

STRONG: Final = 3
"""zxcvbn's score, 0 to 4: 3 stands for more than 10^8 guesses, 500 years at the 480 a day that the login allows."""

JUDGED_CHARS: Final = 72
"""Characters that are judged; zxcvbn's time grows faster than its input."""

LOCAL: Final = (
    *("wordcam", "console", "관제", "관리자", "비밀번호", "사랑해", "안녕하세요", "대한민국", "경비"),
    *("rhkswp", "rhksflwk", "qlalfqjsgh", "tkfkdgo", "dkssudgktpdy", "eogksalsrnr", "rudql"),
)
"""Words that a guesser tries here first: this program's, and Korean ones as they are and as typed on Latin keys."""

AT_ONCE: Final = 2
"""Hashes computed at a time: each takes 64 MiB, and a flood of logins must not take the machine's memory."""

_hasher = PasswordHasher()
_turns = threading.BoundedSemaphore(AT_ONCE)


def refusal(password: str, *, name: str) -> str:
    """Return what is wrong with a new password, as a key of the console's texts; "" where nothing is."""
    if len(password) < MIN_CHARS:
        return "password.short"
    if len(password) > MAX_CHARS:
        return "password.long"
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its word lists take memory that only new passwords need

    if len(set(password)) < 5 or (len(name) > 2 and name.lower() in password.lower()):
        return "password.easy"
    judged = zxcvbn(password[:JUDGED_CHARS], user_inputs=[name, *LOCAL])
    return "password.easy" if judged["score"] < STRONG else ""


def digest(password: str) -> str:
    """Hash a password, with its parameters and its salt in the result."""
    with _turns:
        return _hasher.hash(password)


def fits(password: str, hashed: str | None) -> bool:
    """Return whether a password is the one that was hashed; without a hash it never is, after just as long."""
    if len(password) > MAX_CHARS:
        return False
    with _turns:
        try:
            return _hasher.verify(hashed or _hash_of_no_account(), password) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False


def is_dated(hashed: str) -> bool:
    """Return whether a hash was made with other parameters than those of today."""
    return _hasher.check_needs_rehash(hashed)


@cache
def _hash_of_no_account() -> str:
    """Make a hash that no account has: an unknown name takes as long as a wrong password."""
    return _hasher.hash(secrets.token_urlsafe(16))
