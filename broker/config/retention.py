"""The part `retention` of `broker.yaml`."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from msgspec import Meta

from broker.config.section import Section

Days = Annotated[float, Meta(ge=1, le=3650)]

KINDS: Final = ("captions", "incidents", "audit", "refusals", "figures")
"""Kinds of records with a retention time of their own."""


class Retention(Section, frozen=True, kw_only=True):
    """Days after which records are deleted; null keeps them. docs/adr/0025 says why these are the defaults."""

    captions_days: Days | None = 30
    """Captions, with the decisions of the rules and their translations, from the time of the frame."""
    incidents_days: Days | None = 365
    """Resolved incidents, with their timelines, notifications, replies and silences, from their end."""
    audit_days: Days | None = 730
    """Entries of the audit log."""
    refusals_days: Days | None = 90
    """Kinds of rejected messages, from the last message of the kind."""
    figures_days: Days | None = 730
    """Hourly numbers of bytes sent and saved, by device."""

    def horizon(self, kind: str, now: datetime) -> datetime | None:
        """Return the time before which records of a kind are deleted; None where they are kept."""
        days = getattr(self, f"{kind}_days")
        return None if days is None else now - timedelta(days=days)
