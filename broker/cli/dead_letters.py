"""What a person does with messages by hand: read those that were given up, send them again, try translations."""

import getpass
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Engine

from broker.config.errors import Misconfigured
from broker.notify import dead_letters as store
from broker.notify.message import segments
from broker.store.engine import reading, writing


class Letter(msgspec.Struct, frozen=True):
    """One message that was given up."""

    number: int
    made_at: datetime
    recipient: str
    site: str
    rule: str
    text: str
    error: str

    @property
    def line(self) -> str:
        """The letter for a terminal, without control characters."""
        parts = (f"{self.number}", f"{self.made_at:%Y-%m-%d %H:%M} UTC", self.recipient, f"{self.site}/{self.rule}")
        return segments.plain("  ".join((*parts, self.error, self.text.replace("\n", " "))))


class _Line(msgspec.Struct):
    """What the JSON lines of `wordcam-edge caption --json` and of captions have in common."""

    text: str


def dead(engine: Engine) -> list[Letter]:
    """Give the messages that were given up, the newest first; raises `Locked`."""
    with reading(engine) as connection:
        alerts = store.listed(connection)
    return [
        Letter(one.id, one.created_at, one.recipient, one.site, one.rule, one.text or one.sentence, one.error)
        for one in alerts
    ]


def resend(engine: Engine, numbers: Sequence[int] | None) -> list[tuple[int, bool]]:
    """Take messages up again, all of them where no numbers are given; says of each whether it was dead.

    A running service sends them within half a minute. Raises `Locked`.
    """
    now = datetime.now(UTC)
    by = getpass.getuser()
    with writing(engine) as connection:
        chosen = [one.id for one in store.listed(connection)] if numbers is None else list(dict.fromkeys(numbers))
        return [(number, store.take_up(connection, number, by=by, at=now)) for number in chosen]


def sentences(lines: Iterable[str], *, origin: str) -> Iterator[str]:
    """Give the sentences of a file: plain lines, or JSON objects with `text`; raises `Misconfigured`."""
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text.startswith("{"):
            try:
                yield msgspec.json.decode(text, type=_Line).text
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                raise Misconfigured(f'{origin}:{number}: {error}; write a sentence, or {{"text": ...}}') from error
        elif text:
            yield text
