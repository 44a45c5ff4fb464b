"""Prints the text message instead of sending it: the dry run, where no account is set."""

from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from broker.config.broker import Language
from broker.notify.message import segments, texts


class ConsoleSender:
    """Writes every message as it would be sent, with the number of parts it would be charged as."""

    name = "console"
    askable = False

    def __init__(self, stream: TextIO, *, language: Language) -> None:
        self._stream = stream
        self._heading = texts.of(language).printed

    def send(self, to: str, text: str) -> str:
        """Print the message, and return no id."""
        alphabet = "GSM-7" if segments.is_gsm(text) else "UCS-2"
        heading = self._heading.format(number=to, parts=segments.parts(text), alphabet=alphabet)
        print(f"--- {heading}\n{text}\n---", file=self._stream, flush=True)
        return ""

    def find(self, to: str, text: str, *, since: datetime) -> Sequence[str]:  # noqa: ARG002 - the port's signature
        """Find nothing: what was printed before a stop is printed again."""
        return ()
