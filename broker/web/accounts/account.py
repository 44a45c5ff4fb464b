"""An account: who may log in to the console, and with which role."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from broker.config.section import Language

NAME: Final = re.compile(r"[\w.@-]{1,64}")
"""Letters of any script, digits, `.`, `_`, `@` and `-`: names appear in logs, tables and CSV files."""


class Role(StrEnum):
    """What an account may do; each role includes the ones before it."""

    GUARD = "guard"
    """Sees all captions, and answers incidents."""
    SUPERVISOR = "supervisor"
    """Silences, exports, tries rules, and reads the audit log."""
    ADMINISTRATOR = "administrator"
    """Manages accounts and floor plans."""

    def covers(self, needed: "Role") -> bool:
        """Return whether this role includes another."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Account:
    """One account; raises `ValueError` for a name that a log could not show."""

    name: str
    role: Role
    language: Language
    password: str
    """An argon2id hash."""
    password_at: datetime
    created_at: datetime
    disabled_at: datetime | None = None
    id: int = 0

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not an account name; use 1 to 64 letters, digits, and . _ @ -")
