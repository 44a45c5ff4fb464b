"""Reads the text of a reply in English or Korean: what it asks for, and of which incident."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_CHARS: Final = 160
"""A reply is a few words and perhaps a number; what is longer is not read."""


class Meaning(StrEnum):
    """What a reply asks for."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    FALSE_ALARM = "false-alarm"
    STOP = "stop"
    """No more notifications to this number, until START."""
    START = "start"
    UNKNOWN = "unknown"


class _Says(StrEnum):
    """What one phrase of a reply says."""

    CONFIRMED = "confirmed"
    """OK, seen; or someone is there, or has called for help."""
    GOING = "going"
    """Someone is on the way: not the words of a person for whom it is over."""
    OVER = "over"
    """It is over, or there is nothing: that says nothing against the camera, and raises no threshold."""
    FALSE = "false"
    """The camera was wrong."""
    NOT = "not"
    """Denies something, and what is in doubt: 오경보 아님. Nothing is done about it."""
    FILLER = "filler"


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, understood."""

    meaning: Meaning
    incident_id: int | None = None
    """The incident that it names; None where it names none."""
    bare: int | None = None
    """The number, where the reply is a number without a word and without `#`."""
    by_carrier: bool = False
    """Whether the carrier acts on it too, and answers it: STOP and START in English."""


CHOICES: Final[Mapping[int, Meaning]] = {1: Meaning.ACKNOWLEDGE, 2: Meaning.RESOLVE, 3: Meaning.FALSE_ALARM}
"""What a bare number means where one incident alone is open: for thumbs in gloves."""


def _words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


def _each(stems: str, endings: str) -> frozenset[str]:
    """Return each stem, alone and with each ending."""
    return frozenset(stem + ending for stem in _words(stems) for ending in ("", *_words(endings)))


STOP_WORDS: Final = _words("stop stopall unsubscribe cancel end quit revoke optout 수신거부 수신거부합니다 수신중단")
"""The whole reply is one of these; the carrier's own words are among them, and Twilio acts on those too."""

START_WORDS: Final = _words("start unstop 수신동의 수신동의합니다 수신재개 알림재개 다시받기")

_DID: Final = """
    함 했음 했습니다 했어요 했다 했어 했네요 하였습니다 됨 됐음 됐습니다 됐어요 되었습니다 되었음 완료 완료했습니다
"""
_WILL: Final = "합니다 할게요 하겠습니다 하는중 하는중입니다 중 중입니다 중이에요 중임 해보겠습니다 해볼게요"
_IS: Final = """
    임 입니다 이에요 예요 이네요 네요 였습니다 이었습니다 였음 이었음 로확인 으로확인 로확인됨 으로확인됨 요
"""
_NONE: Final = "없음 없습니다 없어요 없네요 없다 없었음 없었습니다"

_KOREAN: Final[Mapping[_Says, frozenset[str]]] = {
    _Says.CONFIRMED: _words("네 넵 넹 예 옙 응 네네 ㅇㅇ ㅇㅋ 오케이 👍 👌")
    | _words("알겠습니다 알겠어요 알겠음 알았습니다 알았어요 알았음")
    | _words("봤습니다 봤어요 봤음 봤네요 보고있습니다 보고있어요 보는중 보는중입니다")
    | _each("확인 접수 수신 인지", f"{_DID} {_WILL} 요 하러갑니다 하러가겠습니다 하러가는중 하고있습니다 하고있어요")
    | _each("도착 신고 경찰신고", f"{_DID} {_WILL} 요")
    | _words("경찰불렀습니다 경찰불렀어요 구급차불렀습니다 소방차불렀습니다"),
    _Says.GOING: _words("갑니다 가요 간다 갈게요 가겠습니다 가는중 가는중입니다 가는중이에요")
    | _words("가고있습니다 가고있어요 맡겠습니다 맡음 가봅니다 가보겠습니다 가볼게요 가보는중 가보는중입니다")
    | _each("출동 이동 담당", f"{_DID} {_WILL} 요")
    | _each("조치중 처리중 대응중 진행중", "입니다 이에요 임"),
    _Says.OVER: _words("끝 끝남 끝났습니다 끝났어요 끝났음 처리했습니다 처리했어요 처리했음 처리함 처리됨")
    | _words("처리됐습니다 처리되었습니다 조치했습니다 조치함 조치됨 정리했습니다 진압했습니다 진압됨")
    | _each("종료 완료 해결 해제 마무리", f"{_DID} {_IS} 합니다")
    | _each("처리완료 조치완료 정리완료 진압완료 진화완료 대응완료", f"{_DID} {_IS}")
    | _words("진화했습니다 진화함 불껐습니다 불껐어요 불끔 정상 정상임 정상입니다 괜찮습니다 괜찮아요")
    | _each("이상무", _IS)
    | frozenset(
        thing + particle + none
        for thing in _words("이상 특이사항 별일 문제 아무일 아무것 아무 위험")
        for particle in ("", "은", "는", "이", "가", "도")
        for none in _words(_NONE)
    )
    | _words("별일아님 별일아닙니다 아무것도아님 아무것도아닙니다"),
    _Says.FALSE: _each("오보 오경보 오작동 오탐 오탐지 오인 오인신고 허위 허위경보 거짓 거짓경보", f"{_DID} {_IS}")
    | _each("가짜 가짜경보 잘못된경보 잘못된알림", _IS),
    _Says.NOT: _words("아님 아닙니다 아니에요"),
    _Says.FILLER: _words("상황 상황은 상황이 사건 사건은 사건이 경보 경보는 알람 알람은 현장 현장은 현장에 현장으로")
    | _words("지금 바로 방금 현재 곧 제가 모두 다 즉시 직접 감사합니다 수고하세요 수고하십니다 가서 경찰에 소방서에")
    | _words("확인결과 확인했는데 확인해보니 가봤는데 가보니 가보니까"),
}

_ENGLISH: Final[Mapping[_Says, tuple[str, ...]]] = {
    _Says.CONFIRMED: (
        *("ok", "okay", "k", "yes", "yep", "yeah", "y", "ack", "acknowledge", "acknowledged", "confirmed", "copy"),
        *("copy that", "roger", "received", "got it", "understood", "seen", "seen it", "noted", "will do", "checked"),
        *("arrived", "i have arrived", "i am here", "im here", "i am there", "im there", "already there", "on site"),
        *("police called", "called the police", "i called the police", "called police", "help is on the way"),
        *("called emergency", "emergency called"),
    ),
    _Says.GOING: (
        *("on my way", "i am on my way", "im on my way", "omw", "on the way", "on it", "i am on it", "im on it"),
        *("coming", "i am coming", "im coming", "going", "going now", "i am going", "im going", "we are on our way"),
        *(
            "i take it",
            "i will take it",
            "ill take it",
            "i have it",
            "mine",
            "checking",
            "i am checking",
            "im checking",
        ),
        *("i will check", "ill check", "will check", "looking", "en route", "responding", "heading there"),
        *("heading over", "going there", "i am going there", "im going there", "be there soon", "working on it"),
    ),
    _Says.OVER: (
        *("done", "over", "resolved", "clear", "all clear", "closed", "finished", "handled", "dealt with", "all good"),
        *("it is over", "its over", "is over", "it is done", "its done", "all done", "sorted", "situation over"),
        *("nothing", "nothing there", "nothing here", "nothing to see", "nothing found", "it was nothing"),
        *("it is nothing", "its nothing", "no danger", "no problem", "it is ok", "its ok", "fixed", "solved"),
        *("taken care of", "it is taken care of", "its taken care of"),
    ),
    _Says.FALSE: (
        *("false", "false alarm", "false alert", "a false alarm", "it is a false alarm", "its a false alarm"),
        *("it was a false alarm", "was a false alarm", "false positive", "wrong", "wrong alarm", "malfunction"),
    ),
    _Says.FILLER: ("thanks", "thank you", "thx", "now", "sir", "right now", "right away"),
}

_NUMBER: Final = "#"
"""Stands for the number while phrases are looked up."""

_AROUND_NUMBER: Final = frozenset(
    {
        before + _NUMBER + after
        for before in (
            "",
            "사건",
            "사건번호",
            "번호",
            "경보",
            "알람",
            "no",
            "number",
            "incident",
            "alarm",
            "alert",
            "for",
        )
        for after in (
            "",
            "은",
            "는",
            "이",
            "가",
            "을",
            "를",
            "도",
            "건",
            "건은",
            "번",
            "번은",
            "번이",
            "번을",
            "번도",
            "번건",
            "번건은",
        )
    }
    | {
        f"{_NUMBER}번{thing}"
        for thing in ("사건", "사건은", "사건이", "경보", "경보는", "알람", "알람은", "상황", "상황은")
    }
)

_emergency = re.compile(
    r"(?<![0-9#])(?:119|112)(?=\s*(?:에|로)?\s*(?:신고|불렀))(?:\s*(?:에|로))?|(?<=called )911(?![0-9])"
)
"""Numbers that are dialled, and of no incident: 119 신고했습니다."""

_number = re.compile(r"(#\s*)?([0-9]+)")
_blank = re.compile(rf"[^\w{_NUMBER}👍👌]|_")


def read(text: str) -> Reply:
    """Understand a reply such as `OK`, `ok 17`, `17번 확인했습니다` or `2`; all else is UNKNOWN.

    Every part of it has to be understood: "not a false alarm" and "is it ok?" ask for nothing.
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    if len(plain) > MAX_CHARS or "?" in plain:
        return Reply(Meaning.UNKNOWN)
    plain = _emergency.sub(_dialled, plain)
    numbers = _number.findall(plain)
    if any(len(digits) > 9 for _, digits in numbers) or len(numbers) > 2:
        return Reply(Meaning.UNKNOWN)
    phrase = _blank.sub("", _number.sub(_NUMBER, plain))
    if len(numbers) == 2:
        return _chosen(phrase, int(numbers[0][1]), int(numbers[1][1]), has_sign=bool(numbers[0][0]))
    if phrase in STOP_WORDS | START_WORDS:
        meaning = Meaning.STOP if phrase in STOP_WORDS else Meaning.START
        return Reply(meaning, by_carrier=phrase.isascii())
    number = int(numbers[0][1]) if numbers else None
    if number is not None and phrase in _AROUND_NUMBER:
        is_bare = phrase == _NUMBER and not numbers[0][0]
        return Reply(Meaning.UNKNOWN, None, number) if is_bare else Reply(Meaning.UNKNOWN, number)
    meaning = _meaning(phrase)
    return Reply(meaning, None if meaning is Meaning.UNKNOWN else number)


def _dialled(found: re.Match[str]) -> str:
    return "emergency" if found[0] == "911" else ""


def _chosen(phrase: str, choice: int, number: int, *, has_sign: bool) -> Reply:
    """Understand `1 17`: a choice, then the incident."""
    if phrase != _NUMBER * 2 or has_sign or choice not in CHOICES:
        return Reply(Meaning.UNKNOWN)
    return Reply(CHOICES[choice], number)


def _meaning(phrase: str) -> Meaning:
    """Return what a text without blanks means; what closes counts for more than what confirms."""
    kinds = _kinds(phrase)
    closing = kinds & {_Says.OVER, _Says.FALSE}
    if _Says.NOT in kinds or (closing and _Says.GOING in kinds):
        return Meaning.UNKNOWN
    if _Says.FALSE in closing:
        return Meaning.FALSE_ALARM
    if closing:
        return Meaning.RESOLVE
    return Meaning.ACKNOWLEDGE if kinds & {_Says.CONFIRMED, _Says.GOING} else Meaning.UNKNOWN


def _kinds(phrase: str) -> frozenset[_Says]:
    """Return what the phrases of a text say, where phrases cover the whole of it with as few as possible; else none."""
    best: dict[int, tuple[int, frozenset[_Says]]] = {0: (0, frozenset())}
    for start in range(len(phrase)):
        if start not in best:
            continue
        count, kinds = best[start]
        for end in range(start + 1, min(len(phrase), start + _LONGEST) + 1):
            kind = PHRASES.get(phrase[start:end])
            if kind is not None and (end not in best or best[end][0] > count + 1):
                best[end] = (count + 1, kinds | {kind})
    return best[len(phrase)][1] if phrase and len(phrase) in best else frozenset()


def _phrases() -> Iterator[tuple[str, _Says]]:
    yield from ((said, _Says.FILLER) for said in _AROUND_NUMBER)
    for kind, several in _KOREAN.items():
        yield from ((said, kind) for said in several)
    for kind, known in _ENGLISH.items():
        yield from ((said.replace(" ", ""), kind) for said in known)


PHRASES: Final[Mapping[str, _Says]] = {unicodedata.normalize("NFKC", said): kind for said, kind in _phrases()}
"""What is understood, without blanks: people write 상황종료 and 상황 종료, "false alarm" and "false-alarm"."""

_LONGEST: Final = max(map(len, PHRASES))
