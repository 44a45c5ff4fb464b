"""Understands what people answer to a text message."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from broker.notify.message import segments

MAX_CHARS: Final = 160
"""An answer is a word and perhaps a number; what is longer is not read."""


MAX_WORDS: Final = 3
"""Longer answers may say the contrary: "ok but it was nothing" is for a person to read."""


class Meaning(StrEnum):
    """What an answer asks for."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    FALSE_ALARM = "false-alarm"
    STOP = "stop"
    """Twilio itself takes the number off its list; we only write it down."""
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
