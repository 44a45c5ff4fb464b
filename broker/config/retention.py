"""What `broker.yaml` says of how long things are kept."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from msgspec import Meta

from broker.config.section import Section

Days = Annotated[float, Meta(ge=1, le=3650)]

KINDS: Final = ("captions", "incidents", "audit", "refusals", "figures")
"""What has a time of its own."""


class Retention(Section, frozen=True, kw_only=True):
    """Days after which things are deleted; null keeps them for ever. docs/adr/0025 says why these are the defaults."""

    captions_days: Days | None = 30
    """Sentences, what rules made of them, and their translations, counted from when the picture was taken."""
    incidents_days: Days | None = 365
    """Incidents that are over, with their timelines, text messages, answers and silences, counted from their end."""
    audit_days: Days | None = 730
    """Lines of the audit log."""
    refusals_days: Days | None = 90
    """Kinds of messages that were refused, counted from the last one of the kind."""
    figures_days: Days | None = 730
    """Hourly figures of words against video, by device."""

    def horizon(self, kind: str, now: datetime) -> datetime | None:
        """Give the moment before which a kind is deleted; None where it is kept."""
        days = getattr(self, f"{kind}_days")
        return None if days is None else now - timedelta(days=days)
