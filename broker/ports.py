"""What the alert service needs from the outside world, and how that may fail."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from broker.config.section import Language


class SendFailed(Exception):
    """A message was not sent, or may not have been."""


class Rejected(SendFailed):
    """It will never be taken: the number is wrong or has opted out. Trying again is useless."""


class Unreachable(SendFailed):
    """It was surely not taken; trying later may work."""


class Busy(Unreachable):
    """The sender asks for patience."""

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Doubtful(SendFailed):
    """It may have been taken: ask with `Sender.find` before sending again."""


class Sender(Protocol):
    """Sends text messages."""

    @property
    def name(self) -> str:
        """Short name for logs and the database."""

    @property
    def askable(self) -> bool:
        """Whether `find` knows; where it does not, a message in doubt is sent again and says so."""

    def send(self, to: str, text: str) -> str:
        """Hand over one message, to a number in E.164 or a recipient's name; gives the provider's id.

        Raises `SendFailed`.
        """

    def find(self, to: str, text: str, *, since: datetime) -> Sequence[str]:
        """Give the provider's ids of messages with this very text taken since a moment, oldest first.

        Raises `Unreachable` where the provider cannot be asked.
        """


class Untranslated(Exception):
    """A service did not translate, for the reason given."""


class TranslationService(Protocol):
    """Translates somewhere else, and may fail."""

    @property
    def name(self) -> str:
        """Short name for logs and the database."""

    def translate(self, sentence: str, *, source: str, target: Language) -> str:
        """Give the sentence in `target`; raises `Untranslated`."""


class Translator(Protocol):
    """Puts a sentence into a recipient's language, and never fails."""

    def translate(self, sentence: str, *, source: str, target: Language) -> str:
        """Give the sentence in `target`; the sentence itself where it cannot be translated."""

    def versions(self, sentence: str, *, source: str, target: Language) -> Sequence[str]:
        """Give the sentence in `target`, then the same with less and less beside the point.

        The sentence itself where it cannot be translated.
        """
