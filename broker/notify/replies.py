"""Understands what people answer to a notification, and keeps their answers."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, func, insert, select

from broker.notify.message import segments
from broker.notify.notifications import State
from broker.store.tables import core
from broker.store.tables.messaging import reply

MAX_TEXT_CHARS: Final = 400

MAX_CHARS: Final = 160
"""An answer is a word and perhaps a number; what is longer is not read."""


MAX_WORDS: Final = 3
"""Longer answers may mean the opposite: "ok but it was nothing" is for a person to read."""


class Meaning(StrEnum):
    """What an answer asks for."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    FALSE_ALARM = "false-alarm"
    STOP = "stop"
    """Twilio itself unsubscribes the number; it is only recorded here."""
    UNKNOWN = "unknown"


WORDS: Final[dict[Meaning, tuple[str, ...]]] = {
    Meaning.ACKNOWLEDGE: (
        *("ok", "okay", "yes", "y", "ack", "acknowledge", "1"),
        *("네", "넵", "예", "응", "확인", "확인함", "확인했습니다", "접수", "출동", "갑니다", "알겠습니다"),
    ),
    Meaning.RESOLVE: (
        *("done", "over", "resolved", "clear", "2"),
        *("완료", "종료", "해결", "해결됨", "끝", "상황종료"),
    ),
    Meaning.FALSE_ALARM: ("false", "nothing", "wrong", "3", "오보", "오경보", "거짓", "이상없음", "아님"),
    Meaning.STOP: ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "수신거부"),
}
"""The first words of answers, in both languages; 1, 2 and 3 for thumbs in gloves."""

_number = re.compile(r"[0-9]{1,9}", re.ASCII)
_word = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, understood."""

    meaning: Meaning
    incident_id: int | None
    """The incident that it names; None where it names none."""


def read(text: str) -> Reply:
    """Understand an answer such as `OK`, `ok 17`, `확인 #17` or `3`; whatever else it is, it is UNKNOWN."""
    if len(text) > MAX_CHARS:
        return Reply(Meaning.UNKNOWN, None)
    words = _word.findall(segments.plain(text.replace("\n", " ")).lower())
    if not words:
        return Reply(Meaning.UNKNOWN, None)
    meaning = next((meaning for meaning, known in WORDS.items() if words[0] in known), Meaning.UNKNOWN)
    numbers = [word for word in words[1:] if any(sign.isdigit() for sign in word)]
    if meaning is Meaning.UNKNOWN or len(words) > MAX_WORDS or len(numbers) > 1:
        return Reply(Meaning.UNKNOWN, None)
    if not numbers:
        return Reply(meaning, None)
    return Reply(meaning, int(numbers[0])) if _number.fullmatch(numbers[0]) else Reply(Meaning.UNKNOWN, None)


def is_known(connection: Connection, provider: str, provider_id: str) -> bool:
    """Return whether an answer has come before."""
    same = (reply.c.provider == provider) & (reply.c.provider_id == provider_id)
    return connection.execute(select(reply.c.at).where(same)).first() is not None


def add(connection: Connection, row: dict[str, object]) -> None:
    """Write an answer down."""
    connection.execute(insert(reply), row | {"text": str(row["text"])[:MAX_TEXT_CHARS]})


def since(connection: Connection, phone: str, *, at: datetime) -> int:
    """Count the answers of a number since a moment."""
    query = select(func.count()).select_from(reply).where(reply.c.phone == phone, reply.c.at >= at)
    return int(connection.execute(query).scalar_one())


def last_notified(connection: Connection, recipient: str) -> int | None:
    """Return the incident that someone was notified of last, if any."""
    table = core.alert
    about_incident = (table.c.recipient == recipient) & table.c.incident_id.is_not(None)
    handed = table.c.state.in_([State.SENT.value, State.SENDING.value, State.DOUBT.value])
    query = select(table.c.incident_id).where(about_incident, handed).order_by(table.c.tried_at.desc()).limit(1)
    return connection.execute(query).scalar()


def was_notified(connection: Connection, recipient: str, incident_id: int) -> bool:
    """Return whether someone was notified of an incident: they may answer no other."""
    table = core.alert
    query = select(table.c.id).where(table.c.recipient == recipient, table.c.incident_id == incident_id).limit(1)
    return connection.execute(query).first() is not None
