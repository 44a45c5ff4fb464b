"""The text messages themselves, word for word."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from broker import render, sms
from broker.config import Language
from broker.render import Telling

SEOUL = ZoneInfo("Asia/Seoul")
AT = datetime(2026, 3, 14, 12, 0, tzinfo=SEOUL)

ENGLISH = {"title": "Gun", "site": "North Gate", "device": "Device 1", "stream": "Lobby camera"}
KOREAN = {"title": "총기", "site": "북문", "device": "1호기", "stream": "현관 카메라"}


def telling(sentence: str, names: dict[str, str], **changes: Any) -> Telling:
    facts: dict[str, Any] = {"at": AT, "sentence": sentence, "original": sentence}
    return Telling(**(names | facts | changes))


GOLDEN: list[tuple[str, Language, Telling, str]] = [
    (
        "English",
        "en",
        telling("a man is holding a gun", ENGLISH),
        "ALERT Gun - North Gate, Device 1, Lobby camera, 12:00: a man is holding a gun",
    ),
    (
        "Korean",
        "ko",
        telling("a man is holding a gun", KOREAN),
        "[경보] 총기 · 북문 1호기 현관 카메라 12:00 a man is holding a gun",
    ),
    (
        "Korean, translated: the original stands behind",
        "ko",
        telling("남자가 총을 들고 있다", KOREAN, original="a man holds a gun"),
        "[경보] 총기 · 북문 1호기 현관 카메라 12:00 남자가 총을 들고 있다 (a man holds a gun)",
    ),
    (
        "Korean, too long: the device goes first",
        "ko",
        telling("a person is pointing a gun in the corridor", KOREAN),
        "[경보] 총기 · 북문 현관 카메라 12:00 a person is pointing a gun in the corridor",
    ),
    (
        "Korean, far too long: the sentence is cut between words",
        "ko",
        telling("a person in a long black coat is pointing a gun at a man in a corridor", KOREAN),
        "[경보] 총기 · 북문 12:00 a person in a long black coat is pointing a gun at…",
    ),
    (
        "English, far too long: cut within GSM-7",
        "en",
        telling("a person is pointing a gun at a man " * 5, ENGLISH),
        "ALERT Gun - North Gate, 12:00: " + "a person is pointing a gun at a man " * 3 + "a person is...",
    ),
    (
        "English, of another day",
        "en",
        telling("a man is holding a gun", ENGLISH, at=AT.replace(day=13, hour=23, minute=59)),
        "ALERT Gun - North Gate, Device 1, Lobby camera, 03-13 23:59: a man is holding a gun",
    ),
    (
        "English, typographic signs and a hidden direction mark",
        "en",
        telling("a man’s “gun”\u202e", ENGLISH),
        'ALERT Gun - North Gate, Device 1, Lobby camera, 12:00: a man\'s "gun"',
    ),
]


@pytest.mark.parametrize(
    ("language", "told", "expected"), [case[1:] for case in GOLDEN], ids=[case[0] for case in GOLDEN]
)
def test_the_message_reads(language: Language, told: Telling, expected: str) -> None:
    text = render.text(told, language=language, now=AT)

    assert text == expected
    assert sms.parts(text) == 1


def test_a_place_with_a_very_long_name_is_told_whole_in_several_parts() -> None:
    told = telling("a man is holding a gun", KOREAN | {"site": "서울특별시 " * 15})

    text = render.text(told, language="ko", now=AT)

    assert text.endswith("a man is holding a gun")
    assert sms.parts(text) > 1


def test_braces_in_a_caption_are_only_braces() -> None:
    text = render.text(telling("{site} {0} {title!r}", ENGLISH), language="en", now=AT)

    assert text.endswith("{site} {0} {title!r}")
