"""An account: someone who may log in to the console, and what they may do there."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from broker.config.section import Language

NAME: Final = re.compile(r"[\w.@-]{1,64}")
"""Letters of any script, digits, `.`, `_`, `@` and `-`: a name stands in logs, in tables and in CSV files."""


class Role(StrEnum):
    """What an account may do; each role may do all that the ones before it may."""

    GUARD = "guard"
    """Sees everything that cameras say, and answers incidents."""
    SUPERVISOR = "supervisor"
    """Silences, exports, tries rules, and reads the audit log."""
    ADMINISTRATOR = "administrator"
    """Makes accounts and plans of sites."""

    def covers(self, needed: "Role") -> bool:
        """Say whether whoever has this role may do what `needed` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Account:
    """One account; raises `ValueError` where its name would be unreadable in a log."""

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
            raise ValueError(f"{self.name!r} is no account's name; use 1 to 64 letters, digits, and . _ @ -")
