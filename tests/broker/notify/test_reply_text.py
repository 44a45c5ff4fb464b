"""What guards write, in English and Korean, and what it is understood as."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.notify.reply_text import Meaning, Reply, read

ACKNOWLEDGED = [
    "OK",
    "ok!",
    "Yes, thanks",
    "copy that",
    "Roger.",
    "on my way",
    "I'm on my way",
    "OMW",
    "on it",
    "checking",
    "확인",
    "확인했습니다",
    "확인했습니다.",
    "확인 했습니다",
    "확인 중입니다",
    "확인하겠습니다",
    "네",
    "네, 갑니다",
    "넵 알겠습니다",
    "출동합니다",
    "출동 합니다",
    "지금 출동합니다",
    "현장 도착했습니다",
    "접수 완료",
    "👍",
    "네 방금 봤습니다. 지금 출동합니다",
    "봤습니다",
    "봤어요, 가볼게요",
    "가서 확인하겠습니다",
    "확인하고 있습니다",
    "조치 중입니다",
    "119 신고했습니다",
    "112에 신고했습니다",
    "경찰 불렀습니다",
    "ㅇㅋ 출동",
    "heading over",
    "I'm here",
]
OVER = [
    "done",
    "Done.",
    "all clear",
    "All-clear",
    "it's over",
    "resolved",
    "상황 종료",
    "상황종료",
    "상황 종료했습니다",
    "종료",
    "처리 완료",
    "처리완료",
    "처리 완료했습니다",
    "처리했습니다",
    "조치 완료",
    "해결됐습니다",
    "끝났습니다",
    "확인 완료, 상황 종료",
    "nothing there",
    "이상 없음",
    "이상없음",
    "이상 없습니다",
    "이상이 없습니다",
    "특이사항 없음",
    "아무것도 아닙니다",
    "확인했습니다. 이상 없습니다",
    "현장 이상 없습니다",
    "이상 무",
    "아무도 없습니다",
    "도착했습니다. 이상 없습니다",
    "확인했는데 이상 없습니다",
    "확인 결과 이상 없음",
    "가봤는데 아무것도 없어요",
    "불 껐습니다",
    "진화 완료",
    "checked, all clear",
    "all clear, nothing here",
    "arrived, nothing here",
    "no problem",
    "taken care of",
]
FALSE = [
    "false",
    "False alarm",
    "false-alarm",
    "it was a false alarm",
    "오경보",
    "오경보입니다",
    "오보",
    "오작동",
    "오작동입니다",
    "오작동으로 확인됨",
    "확인 결과 오작동입니다",
    "all clear, false alarm",
]
ASKS_FOR_NOTHING = [
    "",
    "?",
    "#",
    "hello",
    "who is this?",
    "is it ok?",
    "확인?",
    "not ok",
    "not a false alarm",
    "오경보 아님",
    "아님",
    "아닙니다",
    "아니요",
    "오경보가 아닙니다",
    "완료 아님",
    "확인 안 됨",
    "아직 확인 못했습니다",
    "이상 있음",
    "확인 바랍니다",
    "출동해 주세요",
    "okra",
    "stop it",
    "no",
    "상황 종료 출동합니다",
    "ok but it was a knife",
    "완료하지 못함",
    "ok 17 28",
    "ok 99999999999",
    "9" * 5000,
    "ok " * 400,
]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("number", ["{}", "{} 17", "{} #17", "#17 {}", "17번 {}", "{} 17번", "{}17번"])
@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        *((said, Meaning.ACKNOWLEDGE) for said in ACKNOWLEDGED),
        *((said, Meaning.RESOLVE) for said in OVER),
        *((said, Meaning.FALSE_ALARM) for said in FALSE),
    ],
)
def test_what_guards_write_is_understood_with_a_number_and_without(
    said: str, meaning: Meaning, number: str, form: str
) -> None:
    written = unicodedata.normalize(form, number.format(said))  # type: ignore[arg-type]  # one of the two names

    assert read(written) == Reply(meaning, 17 if "17" in number else None)


@pytest.mark.parametrize(
    "written",
    [
        "17번은 오경보입니다",
        "17번 사건 오경보",
        "사건 17 오경보",
        "false alarm no. 17",
        "１７번 오경보",
        "incident 17: false alarm",
        "3 17",
        "3 #17",
    ],
)
def test_a_number_has_particles_and_words_around_it(written: str) -> None:
    assert read(written) == Reply(Meaning.FALSE_ALARM, 17)


@pytest.mark.parametrize("written", ["called 911", "119 신고했습니다", "경찰에 112 신고했습니다"])
def test_a_number_that_is_dialled_is_no_incident(written: str) -> None:
    assert read(written) == Reply(Meaning.ACKNOWLEDGE)


@pytest.mark.parametrize("written", ASKS_FOR_NOTHING)
def test_what_is_denied_asked_or_unknown_asks_for_nothing(written: str) -> None:
    assert read(written) == Reply(Meaning.UNKNOWN)


@pytest.mark.parametrize("written", ["#2", "# 2", " #2 ", "2번", "＃2", "no. 2", "incident 2"])
def test_a_number_with_its_sign_is_always_an_incidents(written: str) -> None:
    assert read(written) == Reply(Meaning.UNKNOWN, incident_id=2)


@pytest.mark.parametrize("written", ["2", " 2 ", "2.", "２"])
def test_a_bare_number_is_kept_as_one(written: str) -> None:
    assert read(written) == Reply(Meaning.UNKNOWN, bare=2)


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("STOP", Meaning.STOP),
        ("stop.", Meaning.STOP),
        ("Stop All", Meaning.STOP),
        ("수신 거부", Meaning.STOP),
        ("START", Meaning.START),
        ("수신 동의합니다", Meaning.START),
    ],
)
def test_stop_and_start_stand_alone(written: str, meaning: Meaning) -> None:
    assert read(written) == Reply(meaning, by_carrier=written.isascii())


@given(st.text(max_size=300))
def test_any_text_is_some_reply(text: str) -> None:
    assert read(text).meaning in Meaning


@given(st.text(alphabet="네넵확인종료ok#17번 ", max_size=160))
def test_a_reply_names_at_most_one_incident_and_is_never_bare_with_a_meaning(text: str) -> None:
    found = read(text)

    assert found.bare is None or (found.meaning is Meaning.UNKNOWN and found.incident_id is None)
