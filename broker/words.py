"""Every sentence the alert service says to people, in each language."""

from dataclasses import dataclass

from broker.config import Language, Severity


@dataclass(frozen=True, slots=True)
class Words:
    """One language. Braces are filled by name."""

    alert: str
    """Text message: `title`, `place`, `time`, `sentence`."""
    between_places: str
    test: str
    """Text message of `send-test`: `name`, `time`."""
    no_captions_yet: str
    waiting_for_database: str
    online: str
    offline: str
    ledger: str
    """`words` and `video` are sizes, `ratio` how many times less."""
    device: str
    severity: dict[Severity, str]
    printed: str
    """Console sender: `number`, `parts`, `alphabet`."""
    told: str
    cancelled: str
    fired: str
    nothing: str


ENGLISH = Words(
    alert="ALERT {title} - {place}, {time}: {sentence}",
    between_places=", ",
    test="wordcam test message for {name}, {time}. Alerts will look like this and come to this number.",
    no_captions_yet="No captions yet.",
    waiting_for_database="waiting for {path}: start `wordcam-broker run`",
    online="online",
    offline="offline",
    ledger="{words} of words in place of {video} of video ({ratio} times less)",
    device="{place}: {state}, {captions} captions, {ledger}",
    severity={"info": "note", "warning": "warning", "critical": "DANGER"},
    printed="SMS to {number} (not sent: no account is set), {parts} part(s), {alphabet}",
    told="told",
    cancelled="cancelled",
    fired="fires",
    nothing="no danger",
)

KOREAN = Words(
    alert="[경보] {title} · {place} {time} {sentence}",
    between_places=" ",
    test="wordcam 시험 문자입니다. {name}, {time}. 경보가 이 번호로 옵니다.",
    no_captions_yet="아직 문장이 없습니다.",
    waiting_for_database="{path} 파일을 기다립니다. `wordcam-broker run`을 실행하세요",
    online="연결됨",
    offline="끊김",
    ledger="영상 {video} 대신 문장 {words} ({ratio}배 절약)",
    device="{place}: {state}, 문장 {captions}개, {ledger}",
    severity={"info": "알림", "warning": "주의", "critical": "위험"},
    printed="{number} 번호로 보낼 문자 (계정이 없어 보내지 않음), {parts}건, {alphabet}",
    told="알림 보냄",
    cancelled="취소",
    fired="경보",
    nothing="위험 없음",
)


def of(language: Language) -> Words:
    """Give the words of a language."""
    return KOREAN if language == "ko" else ENGLISH
