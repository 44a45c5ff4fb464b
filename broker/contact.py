"""A contact: what is known of a recipient beyond the configuration."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Contact:
    """One recipient's state."""

    name: str
    away_until: datetime | None = None
    """Nothing is sent to them before; what is made meanwhile waits."""
    away_because: str = ""
    heard_at: datetime | None = None
    """When they last answered, however they did."""
