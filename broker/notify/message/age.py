"""How late a sighting arrives, and how a text says so."""

from datetime import datetime, timedelta
from typing import Final

from broker.config.section import Language

LATE: Final = timedelta(minutes=10)
"""A sighting that arrives so long after it was captured is late: its device was offline."""


def late_seconds(captured_at: datetime, received_at: datetime) -> int:
    """Return how late a sighting arrived; 0 where it was not late."""
    delay = received_at - captured_at
    return round(delay.total_seconds()) if delay >= LATE else 0


def say(seconds: int, language: Language) -> str:
    """Word an age in the largest unit that fits twice: `25 min`, `5 h`, `3 days`."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days >= 2:
        return f"{days}일" if language == "ko" else f"{days} days"
    if hours >= 2:
        return f"{hours}시간" if language == "ko" else f"{hours} h"
    return f"{minutes}분" if language == "ko" else f"{minutes} min"
