"""The text messages themselves, word for word."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.config.broker import Language
from broker.notify.message import render, segments
from broker.notify.message.render import Telling

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
        "Korean, too long: the camera goes first",
        "ko",
        telling("a person is pointing a gun in the corridor", KOREAN),
        "[경보] 총기 · 북문 1호기 12:00 a person is pointing a gun in the corridor",
    ),
    (
        "Korean, far too long: the sentence is cut between words",
        "ko",
        telling("a person in a long black coat is pointing a gun at a man in a corridor", KOREAN),
        "[경보] 총기 · 북문 1호기 12:00 a person in a long black coat is pointing a…",
    ),
    (
        "English, far too long: cut within GSM-7",
        "en",
        telling("a person is pointing a gun at a man " * 5, ENGLISH),
        "ALERT Gun - North Gate, Device 1, 12:00: " + "a person is pointing a gun at a man " * 3 + "a person...",
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


HOLDING: dict[str, Any] = {
    "sentence": "빨간 셔츠를 입은 젊은 남자가 큰 건물 앞에서 손에 총을 들고 있다",
    "original": "a young man in a red shirt is holding a gun in his hand in front of a large building",
    "briefer": ("남자가 건물 앞에서 손에 총을 들고 있다", "남자가 총을 들고 있다"),
}

LATE_AND_LONG = (
    "25 min LATE: NO ANSWER: Gun? 73% The north gate of the city museum Device 1 of the outer yard 12:00"
    " a man in a... #17 https://wordcam.example/a/17-Xy3k9Qw2Pz"
)

GOLDEN += [
    (
        "Korean, translated: the original goes first",
        "ko",
        telling(**HOLDING, names=KOREAN),
        "[경보] 총기 · 북문 1호기 현관 카메라 12:00 빨간 셔츠를 입은 젊은 남자가 큰 건물 앞에서 손에 총을 들고 있다",
    ),
    (
        "Korean, long names: then what is beside the point",
        "ko",
        telling(**HOLDING, names=KOREAN | {"site": "서울시립미술관 북문", "device": "지하 주차장 1호기"}),
        "[경보] 총기 · 서울시립미술관 북문 지하 주차장 1호기 현관 카메라 12:00 남자가 건물 앞에서 손에 총을 들고 있다",
    ),
    (
        "Korean, longer names: then the place about it",
        "ko",
        telling(**HOLDING, names=KOREAN | {"site": "서울시립미술관 서소문 본관", "device": "지하 이층 주차장 1호기"}),
        "[경보] 총기 · 서울시립미술관 서소문 본관 지하 이층 주차장 1호기 현관 카메라 12:00 남자가 총을 들고 있다",
    ),
    (
        "an incident has its number where there is room",
        "en",
        telling("a man is holding a gun", ENGLISH, incident=17),
        "ALERT Gun - North Gate, Device 1, Lobby camera, 12:00: a man is holding a gun #17",
    ),
    (
        "nobody has answered",
        "ko",
        telling("a man is holding a gun", KOREAN, kind="escalation"),
        "[응답 없는 경보] 총기 · 북문 1호기 현관 카메라 12:00 a man is holding a gun",
    ),
    (
        "someone says that it is over",
        "en",
        telling("a man is holding a gun", ENGLISH, kind="resolved", closed_by="Kim", incident=17),
        "OVER: Gun - North Gate, Device 1, Lobby camera, 12:00: Kim says it is over. #17",
    ),
    (
        "several in one",
        "ko",
        telling("a man is holding a gun", KOREAN, kind="digest", count=12),
        "[경보 12건] 총기 · 북문 1호기 현관 카메라 12:00 a man is holding a gun",
    ),
    (
        "the words that name the danger go last",
        "ko",
        telling("a person in a long black coat is pointing at a man with a gun", KOREAN, fired="gun", incident=17),
        "[경보] 총기 · 북문 1호기 12:00 …black coat is pointing at a man with a gun #17",
    ),
    (
        "what the model believes is not told as if seen",
        "en",
        telling("two men standing in a room", ENGLISH, suspected=0.734),
        "ALERT camera suspects gun (73 %) - North Gate, Device 1, Lobby camera, 12:00: two men standing in a room",
    ),
    (
        "what the model believes, in Korean",
        "ko",
        telling("두 남자가 방에 서 있다", KOREAN, suspected=0.734, incident=17),
        "[경보] 총기 의심(73 %) · 북문 1호기 현관 카메라 12:00 두 남자가 방에 서 있다 #17",
    ),
    (
        "number and link stay, and the sentence goes",
        "ko",
        telling(**HOLDING, names=KOREAN, incident=17, link="https://wordcam.example/a/17-Xy3k9Qw2Pz"),
        "[경보] 총기 · 북문 1호기 12:00 #17 https://wordcam.example/a/17-Xy3k9Qw2Pz",
    ),
    (
        "a belief, with number and link: words of the frame go before the link",
        "ko",
        telling(**HOLDING, names=KOREAN, suspected=0.734, incident=17, link="https://cam.example/a/117-Xy3k9Qw2Pz"),
        "[경보] 총기 의심 73% 북문 1호기 12:00 #17 https://cam.example/a/117-Xy3k9Qw2Pz",
    ),
    (
        "a late one that nobody answered",
        "ko",
        telling(
            **HOLDING,
            names=KOREAN,
            kind="escalation",
            late="20분",
            incident=17,
            link="https://cam.example/a/17-Xy3k9Qw2Pz",
        ),
        "[20분지연] 총기 북문 1호기 12:00 #17 https://cam.example/a/17-Xy3k9Qw2Pz",
    ),
    (
        "a cut Korean sentence keeps its end, where it says what happens",
        "ko",
        telling(**HOLDING | {"briefer": ()}, names=KOREAN, incident=17, link="https://w.kr/a/17-Xy3k9Qw2Pz"),
        "[경보] 총기 · 북문 1호기 12:00 …손에 총을 들고 있다 #17 https://w.kr/a/17-Xy3k9Qw2Pz",
    ),
    (
        "a late belief in English keeps its link, and the sentence goes",
        "en",
        telling(
            "a man in a long black coat walks through the hall",
            ENGLISH | {"site": "The north gate of the city museum", "device": "Device 1 of the outer yard"},
            kind="escalation",
            late="25 min",
            suspected=0.734,
            incident=17,
            link="https://wordcam.example/a/17-Xy3k9Qw2Pz",
        ),
        LATE_AND_LONG,
    ),
    (
        "it ended by itself, and nobody had answered",
        "en",
        telling("a man is holding a gun", ENGLISH, kind="resolved", unseen_minutes=16, unanswered=True, incident=17),
        "OVER: Gun - North Gate, Device 1, Lobby camera, 12:00: not seen for 16 min. Nobody answered. #17",
    ),
    (
        "it ended by itself, and nobody had answered, in Korean",
        "ko",
        telling("남자가 총을 들고 있다", KOREAN, kind="resolved", unseen_minutes=16, unanswered=True, incident=17),
        "[상황 종료] 총기 · 북문 1호기 현관 카메라 12:00 16분 동안 보이지 않음. 아무도 응답하지 않음. #17",
    ),
    (
        "it ended by itself after someone had answered",
        "ko",
        telling("남자가 총을 들고 있다", KOREAN, kind="resolved", unseen_minutes=16, incident=17),
        "[상황 종료] 총기 · 북문 1호기 현관 카메라 12:00 16분 동안 보이지 않음. #17",
    ),
    (
        "a link in a caption is no link any more",
        "en",
        telling("see http://evil.example/x tel:+1 a@b", ENGLISH),
        "ALERT Gun - North Gate, Device 1, Lobby camera, 12:00: see http:// evil. example/x tel: +1 a@ b",
    ),
]


@pytest.mark.parametrize(
    ("language", "told", "expected"), [case[1:] for case in GOLDEN], ids=[case[0] for case in GOLDEN]
)
def test_the_message_reads(language: Language, told: Telling, expected: str) -> None:
    text = render.text(told, language=language, now=AT)

    assert text == expected
    assert segments.parts(text) == 1


def test_a_place_with_a_very_long_name_is_told_whole_in_several_parts() -> None:
    told = telling("a man is holding a gun", KOREAN | {"site": "서울특별시 " * 15})

    text = render.text(told, language="ko", now=AT)

    assert text.endswith("a man is holding a gun")
    assert segments.parts(text) > 1


def test_a_korean_carrier_counts_bytes_after_its_prefix() -> None:
    told = telling(**HOLDING, names=KOREAN)

    text = render.text(told, language="ko", now=AT, fits=segments.is_one_in_korea)

    assert text.startswith("[경보] 총기 · 북문")
    assert len(("[Web발신]\n" + text).encode("euc-kr")) <= 90


def test_a_message_that_may_be_sent_twice_says_so_once() -> None:
    once = render.again("[경보] 총기", language="ko")

    assert once == "(중복일 수 있음) [경보] 총기"
    assert render.again(once, language="ko") == once


NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "Zs", "So"]), min_size=1, max_size=40)


@given(NAMES, NAMES, st.text(max_size=200), st.sampled_from(["en", "ko"]))
def test_whatever_the_names_and_the_sentence_time_and_danger_stay(
    site: str, title: str, sentence: str, language: Language
) -> None:
    told = telling(sentence, {"title": title, "site": site, "device": "d", "stream": "s"}, incident=7)

    text = render.text(told, language=language, now=AT)

    assert "12:00" in text
    assert segments.plain(title) in text
    assert segments.plain(site) in text
    assert text.encode("utf-16")
    assert segments.plain(text) == text.replace("…", "...")  # the mark of a cut, one unit where it costs no more


def test_braces_in_a_caption_are_only_braces() -> None:
    text = render.text(telling("{site} {0} {title!r}", ENGLISH), language="en", now=AT)

    assert text.endswith("{site} {0} {title!r}")
