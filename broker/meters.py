"""What is counted while the service works, for whoever watches over it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from contract.caption import Caption


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What one batch brought, after its commit."""

    messages: int
    commit_seconds: float
    heard: Sequence[Caption] = ()
    """Its captions, new or not."""
    stored: int = 0
    """How many of them were new."""
    duplicates: int = 0
    statuses: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    """By reason."""
    delays: Sequence[float] = ()
    """Seconds from the camera to the disk, of each caption of a batch that was all new."""


class Meters(Protocol):
    """Counts. Every label comes from a list of ours: what cameras say is never one."""

    def took_in(self, batch: TakenIn) -> None:
        """Count a batch."""

    def attempted(self, channel: str) -> None:
        """Count an attempt to send a text message."""

    def failed(self, channel: str, how: str) -> None:
        """Count one that failed: `rejected`, `unreachable`, `busy` or `doubtful`."""

    def sent(self, channel: str, kind: str, *, seconds: float) -> None:
        """Count a message that the gateway took so many seconds after it was due."""

    def given_up(self, channel: str) -> None:
        """Count a message that is dead."""

    def translated(self, result: str) -> None:
        """Count a translation: `kept` from before, `made`, `failed`, or `resting` after a failure."""

    def pinged(self, result: str) -> None:
        """Count a sign of life: `taken`, `refused` or `unreachable`."""


class Unmetered:
    """Counts nothing."""

    def took_in(self, batch: TakenIn) -> None:
        """Let it be."""

    def attempted(self, channel: str) -> None:
        """Let it be."""

    def failed(self, channel: str, how: str) -> None:
        """Let it be."""

    def sent(self, channel: str, kind: str, *, seconds: float) -> None:
        """Let it be."""

    def given_up(self, channel: str) -> None:
        """Let it be."""

    def translated(self, result: str) -> None:
        """Let it be."""

    def pinged(self, result: str) -> None:
        """Let it be."""


UNMETERED = Unmetered()
