"""The reasons of decisions in each language."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from broker.config.section import Language
from broker.notify import reasons as stored
from broker.notify.reasons import (
    AlsoSeen,
    AnotherCamera,
    Away,
    ClosedAs,
    ClosedBefore,
    DeviceMissing,
    DevicesRecovered,
    DevicesWellFor,
    EscalatedTo,
    FailedRecently,
    Gathered,
    HourlyLimit,
    Inhibited,
    Late,
    MoreSevere,
    NamedNow,
    NoAnswer,
    NobodyAnswered,
    NoLongerSeen,
    NoneDelivered,
    NoRecipient,
    NotificationFor,
    NotifiedAs,
    NotNotifiedYet,
    NotSeenFor,
    OpenedBy,
    OptedOut,
    Pending,
    Prose,
    QuietHours,
    SeenBy,
    SeenByMany,
    SeenNow,
    SentRecently,
    SeveralEnded,
    SeverityRaised,
    Silenced,
    StillVisible,
    Unreachable,
    Via,
)
from broker.rules import reasons as rules
from broker.rules.reasons import Reason, Reasons, Texts

TEXTS: Final[Mapping[Language, Texts]] = {
    "en": rules.TEXTS["en"]
    | {
        Prose: "{text}",
        NotNotifiedYet: "nobody was notified yet",
        MoreSevere: "it is {severity} now, and was {before} in the last notification",
        NoneDelivered: "no earlier notification could be sent",
        FailedRecently: "sending failed {age}",
        AnotherCamera: "{camera} sees it too",
        Pending: "the last notification is still to be sent",
        StillVisible: "it is still there",
        SentRecently: "the last notification was sent {age}",
        NotifiedAs: "notified as {rule}",
        Inhibited: "people know of {danger}, incident {incident}",
        ClosedBefore: "{by} closed incident {incident} of this camera as {state}",
        Silenced: "silence {silence} of {author}: {reason}",
        NoRecipient: "no recipient asked for it",
        NoAnswer: "no answer within {minutes} min",
        Unreachable: "{people} cannot be reached now",
        NotSeenFor: "no camera has seen it for {minutes} min",
        NoLongerSeen: "no camera sees it any more",
        DevicesRecovered: "every device reports again",
        DevicesWellFor: "every device has reported for {seconds} s",
        ClosedAs: "{by}: {state}",
        DeviceMissing: "{cause} since {since}{reason_in_parentheses}",
        Away: "away{reason_after_colon}",
        OptedOut: "wrote STOP and gets nothing until START",
        QuietHours: "quiet hours until {until}",
        HourlyLimit: "{count} notifications in an hour, {limit} are allowed",
        Gathered: "{count} notifications waited",
        Late: "the sighting arrived {minutes} min late",
        SeenNow: "it is seen now; the notification before was late",
        NamedNow: "a sentence names it now; before it was suspected",
        SeveralEnded: "{count} incidents ended a short while ago",
        OpenedBy: "{rule} at {camera}: {reasons}",
        SeenBy: "{names}",
        SeenByMany: "{names}, and {more} more",
        SeverityRaised: "{severity}: {reasons}",
        AlsoSeen: "{danger} at {camera}",
        NotificationFor: "{kind}: {people}: {reasons}",
        EscalatedTo: "to {people}: {reasons}",
        NobodyAnswered: "everyone was notified, and nobody answered",
        Via: "{how}",
    },
    "ko": rules.TEXTS["ko"]
    | {
        Prose: "{text}",
        NotNotifiedYet: "첫 알림",
        MoreSevere: "심각도가 {before}에서 {severity} 단계로 올라감",
        NoneDelivered: "앞선 알림 전송 실패",
        FailedRecently: "{age} 전송 실패",
        AnotherCamera: "{camera} 카메라에도 보임",
        Pending: "앞선 알림 전송 대기 중",
        StillVisible: "아직 보임",
        SentRecently: "마지막 알림 {age}",
        NotifiedAs: "{rule} 규칙으로 알림",
        Inhibited: "더 큰 위험 {danger} 알림 중(사건 {incident})",
        ClosedBefore: "{by} 님이 이 카메라의 사건 {incident} {state} 처리",
        Silenced: "{author} 님의 알림 중지 {silence}: {reason}",
        NoRecipient: "받을 사람 없음",
        NoAnswer: "{minutes}분 동안 응답 없음",
        Unreachable: "{people} 님에게 지금 연락할 수 없음",
        NotSeenFor: "{minutes}분 동안 보이지 않음",
        NoLongerSeen: "더 이상 보이지 않음",
        DevicesRecovered: "모든 장치 정상 복구",
        DevicesWellFor: "모든 장치가 {seconds}초 동안 정상",
        ClosedAs: "{by} 님이 {state} 처리",
        DeviceMissing: "{since} 이후 {cause}{reason_in_parentheses}",
        Away: "부재 중{reason_after_colon}",
        OptedOut: "STOP으로 수신 거부, START까지 보내지 않음",
        QuietHours: "{until}까지 방해 금지 시간",
        HourlyLimit: "한 시간에 알림 {count}건, 한도 {limit}건",
        Gathered: "보류된 알림 {count}건",
        Late: "{minutes}분 지연 도착",
        SeenNow: "지연 알림 뒤 지금 보임",
        NamedNow: "의심이던 위험이 문장에 나옴",
        SeveralEnded: "방금 사건 {count}건 종료",
        OpenedBy: "{camera}, {rule} 규칙: {reasons}",
        SeenBy: "{names}",
        SeenByMany: "{names} 외 {more}대",
        SeverityRaised: "{severity}: {reasons}",
        AlsoSeen: "{camera}, {danger}",
        NotificationFor: "{kind}: {people}: {reasons}",
        EscalatedTo: "{people} 님에게 알림: {reasons}",
        NobodyAnswered: "모두에게 알렸으나 응답 없음",
        Via: "{how}",
    },
}

VALUES: Final[Mapping[Language, Mapping[str, Mapping[str, str]]]] = {
    "en": {
        "cause": {
            "gone": "no message",
            "quiet": "no message",
            "no-camera": "no camera",
            "no-picture": "no picture",
            "covered": "camera covered or blinded",
            "dark": "too dark to see",
            "defocused": "picture blurred",
            "frozen": "picture frozen",
            "corrupt": "picture corrupt",
            "moved": "camera turned away",
        },
        "state": {"open": "unanswered", "false-alarm": "false alarm"},
        "kind": {"first": "alert", "repeat": "reminder"},
        "happened": {
            "camera": "another camera",
            "severity": "more severe",
            "also": "seen with it",
            "told": "notified",
            "held": "notification deferred",
            "muted": "silenced",
            "unanswered": "no answer",
            "false-alarm": "false alarm",
            "seen-again": "still visible",
        },
        "sending": {
            "held": "deferred",
            "digested": "in a digest",
            "waiting": "queued",
            "doubt": "unknown",
            "dead": "failed",
        },
        "how": {
            "sms": "by text message",
            "link": "by link",
            "console": "in the console",
            "terminal": "in the terminal",
        },
    },
    "ko": {
        "cause": {
            "gone": "응답 없음",
            "quiet": "응답 없음",
            "no-camera": "카메라 없음",
            "no-picture": "영상 없음",
            "covered": "카메라 가려짐",
            "dark": "너무 어두움",
            "defocused": "초점 흐림",
            "frozen": "화면 멈춤",
            "corrupt": "영상 깨짐",
            "moved": "카메라 방향 바뀜",
        },
        "severity": {"critical": "위험", "warning": "주의", "info": "참고"},
        "before": {"critical": "위험", "warning": "주의", "info": "참고"},
        "state": {"open": "미확인", "acknowledged": "확인함", "resolved": "종료", "false-alarm": "오경보"},
        "kind": {
            "first": "경보",
            "update": "변경",
            "repeat": "재알림",
            "escalation": "다음 연락처",
            "resolved": "상황 종료",
            "digest": "모음",
            "contact": "연락처 변경",
        },
        "reason": {"connection lost": "연결 끊김", "stopped": "정지됨", "camera gone": "카메라 빠짐"},
        "term": {
            "gun": "총",
            "weapon": "무기",
            "knife": "칼",
            "fire": "불",
            "smoke": "연기",
            "fight": "싸움",
            "falling": "넘어짐",
            "fallen": "쓰러짐",
        },
        "label": {
            "person": "사람",
            "car": "자동차",
            "truck": "트럭",
            "bus": "버스",
            "bicycle": "자전거",
            "motorcycle": "오토바이",
            "dog": "개",
            "cat": "고양이",
            "knife": "칼",
            "backpack": "배낭",
            "gun": "총",
            "weapon": "무기",
            "fire": "불",
            "smoke": "연기",
        },
        "how": {"sms": "문자로", "link": "링크로", "console": "관제 화면에서", "terminal": "터미널에서"},
    },
}
"""Words for the values of fields; a value that is not here is shown as it is. `happened` are events of a timeline and
`sending` states of a notification, which the terminal shows in English."""


def say(reasons: Reasons | str, language: Language) -> str:
    """Word reasons, or their stored text, in a language. Prose is shown as it was written."""
    found = stored.decode(reasons) if isinstance(reasons, str) else reasons
    return "; ".join(_text(reason, language) for reason in found)


def word(field: str, value: str, language: Language) -> str:
    """Return the word for one value of a field of `VALUES`."""
    return VALUES[language].get(field, {}).get(value, value)


def _text(reason: Reason, language: Language) -> str:
    fields = {name: _value(name, value, language) for name, value in msgspec.structs.asdict(reason).items()}
    if isinstance(reason, DeviceMissing) and language == "ko":
        fields["reason"] = _device_reason(reason.reason)
    if "seconds" in fields:
        fields["age"] = _age(fields["seconds"], language)
    return rules.fill(TEXTS[language][type(reason)], fields)


def _device_reason(text: str) -> str:
    """Word in Korean what a device gives as its reason; "" for free text of its own, which is in no known language.

    What stands behind a known reason, such as the path of a camera, is kept.
    """
    known, colon, what = text.partition(": ")
    said = VALUES["ko"]["reason"].get(known, "")
    return f"{said}{colon}{what}" if said else ""


def _value(name: str, value: Any, language: Language) -> Any:
    if name == "reasons":
        return say(value, language)
    return word(name, value, language) if isinstance(value, str) else value


def _age(seconds: int, language: Language) -> str:
    minutes = seconds >= 120
    if language == "ko":
        return f"{seconds // 60}분 전" if minutes else f"{seconds}초 전"
    return f"{seconds // 60} min ago" if minutes else f"{seconds} s ago"
