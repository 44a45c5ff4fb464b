"""The ports of the alert service: what it needs from the outside world, and how that may fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection

from broker.config.section import Language
from contract.caption import Caption


class SendFailed(Exception):
    """A message was not sent, or may not have been."""


class Rejected(SendFailed):
    """It will never be accepted: the number is wrong or has opted out. Trying again is useless."""


class Unreachable(SendFailed):
    """It was surely not accepted; trying later may work."""


class Busy(Unreachable):
    """The sender asks to wait."""

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Throttled(Busy):
    """Our own rate limit asks to wait; the provider was not asked."""


class Doubtful(SendFailed):
    """It may have been accepted: ask with `Sender.find` before sending again."""


class Sender(Protocol):
    """Sends text messages."""

    @property
    def name(self) -> str:
        """Short name for logs and the database."""

    @property
    def askable(self) -> bool:
        """Whether `find` works; where it does not, a message in doubt is sent again, marked as a possible duplicate."""

    def send(self, to: str, text: str) -> str:
        """Hand over one message, to a number in E.164 or a recipient's name; returns the provider's id.

        Raises `SendFailed`.
        """

    def find(self, to: str, text: str, *, since: datetime) -> Sequence[str]:
        """Return the provider's ids of messages with this very text taken since a moment, oldest first.

        Raises `Unreachable` where the provider cannot be asked.
        """


class Untranslated(Exception):
    """A service did not translate; the message is the reason."""


class TranslationService(Protocol):
    """Translates somewhere else, and may fail."""

    @property
    def name(self) -> str:
        """Short name for logs and the database."""

    def translate(self, sentence: str, *, source: str, target: Language) -> str:
        """Return the sentence in `target`; raises `Untranslated`."""


class Translator(Protocol):
    """Translates a sentence into a recipient's language, and never fails."""

    def translate(self, sentence: str, *, source: str, target: Language) -> str:
        """Return the sentence in `target`; the sentence itself where it cannot be translated."""

    def versions(self, sentence: str, *, source: str, target: Language) -> Sequence[str]:
        """Return the sentence in `target`, then shorter and shorter forms of it.

        The sentence itself where it cannot be translated.
        """


class Superseded(Exception):
    """Another instance leads now: this one must not write any more."""


@dataclass(frozen=True, slots=True)
class Term:
    """One time as the leader."""

    token: int
    after_expiry: bool = False
    """Whether the leader before may still be alive, and handing a message over at this moment."""


class Leadership(Protocol):
    """Whether this instance leads."""

    @property
    def term(self) -> Term | None:
        """The present term; None where another instance leads, or may lead."""

    def require(self, connection: Connection, term: Term) -> None:
        """Raise `Superseded` where another instance has taken over since; in the transaction that writes."""


@dataclass(frozen=True, slots=True)
class IngestedBatch:
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
    wrong_clocks: Mapping[str, int] = field(default_factory=dict)
    """Captions whose device's clock was wrong: `future` or `past`."""


class Metrics(Protocol):
    """Counts what happens. Every label comes from a fixed list: a caption is never one."""

    def took_in(self, batch: IngestedBatch) -> None:
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


class NoMetrics:
    """Counts nothing: for a service without a monitor, and for verbs that do not run one."""

    def took_in(self, batch: IngestedBatch) -> None:
        """Do nothing."""

    def attempted(self, channel: str) -> None:
        """Do nothing."""

    def failed(self, channel: str, how: str) -> None:
        """Do nothing."""

    def sent(self, channel: str, kind: str, *, seconds: float) -> None:
        """Do nothing."""

    def given_up(self, channel: str) -> None:
        """Do nothing."""

    def translated(self, result: str) -> None:
        """Do nothing."""

    def pinged(self, result: str) -> None:
        """Do nothing."""
