"""A sighting: one danger as one camera sees it, or one device that is missed."""

from dataclasses import dataclass
from datetime import datetime

from broker.incidents.silence import Subject
from broker.rules.compiler import Rule


@dataclass(frozen=True, slots=True)
class Sighting:
    """One danger, seen at a moment."""

    site: str
    device: str
    stream: str
    """"" where it is the whole device."""
    rule: Rule
    because: str
    now: datetime
    caption_id: int | None = None
    """The caption that says so; None for a device that is missed."""

    @property
    def camera(self) -> str:
        """Give `device/stream`, or the device alone."""
        return f"{self.device}/{self.stream}" if self.stream else self.device

    @property
    def subject(self) -> Subject:
        """Give what a silence may be about."""
        return Subject(self.site, self.device, self.stream, self.rule.danger, self.rule.name, self.rule.severity)
