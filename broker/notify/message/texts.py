"""The texts of notifications, replies and the terminal, in each language."""

from dataclasses import dataclass

from broker.config.broker import Language, Severity


@dataclass(frozen=True, slots=True)
class Words:
    """One language. Braces are filled by name."""

    alert: str
    """Text message: `heading`, `title`, `place`, `time`, `sentence`."""
    headings: dict[str, str]
    """How a notification begins, by `broker.notify.notifications.Kind`; in a digest, `count` is how many incidents it
    covers, and `ended` says how many of them are over."""
    ended: str
    """How many incidents of a digest are over: `count`; nothing where none is."""
    all_ended: str
    """All of them are."""
    over: str
    """The danger that a digest describes, where it is over: `title`."""
    late: str
    """Heading of a sighting that arrived late: `age`, `heading`."""
    suspected: str
    """Where the model believes in a danger that the sentence does not name: `title`, `percent`."""
    brief: "Brief"
    """The same with less around it, where the link would not fit otherwise."""
    contact: dict[bool, str]
    """Someone can be reached again (true), or wrote STOP (false): `name`."""
    away: str
    """Someone is away: `name`, `time`."""
    by: str
    """Who brought an incident to its end: `name`."""
    unseen: str
    """Why an incident ended by itself: `minutes` without a sighting."""
    unanswered: str
    """Nobody has answered it until then."""
    answers: dict[str, str]
    """What the buttons of a link are called, by `broker.incidents.ack_links.Choice`."""
    again: str
    """Before a message that may have been sent already."""
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
    losses: "Losses"
    replies: "Replies"
    notified: str
    cancelled: str
    fired: str
    nothing: str
    plain: frozenset[str] = frozenset()
    """As in `Brief`."""


@dataclass(frozen=True, slots=True)
class Brief:
    """The parts of a text message in few characters, with the fields of the long ones."""

    alert: str
    headings: dict[str, str]
    late: str
    suspected: str
    over: str
    plain: frozenset[str] = frozenset({"first"})
    """Kinds without a heading where the text says that it is late."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Texts about lost devices."""

    since: dict[str, str]
    """By `broker.incidents.presence.detector.Cause`: `time` is when the device was last well."""
    mixed: str
    """Several devices that are lost for several causes: `time`."""
    several: str
    """Several devices: `who` they are, and `what` happened to them."""
    count: str
    """In place of their names: `count`."""
    back: str
    """All is well again."""


@dataclass(frozen=True, slots=True)
class Replies:
    """Replies to an answer by text message: `number` is the incident's, `name` someone else's.

    `numbers` are those of open incidents, such as `#28, #31`.
    """

    acknowledged: str
    already: str
    resolved: str
    false_alarm: str
    over: str
    unknown: str
    which: str
    """Several incidents are open, and the answer may be about any of them: `number`, `numbers`."""
    what: str
    """The answer names an incident and not what became of it: `number`."""
    stopped: str
    started: str
    help: str


_ENGLISH_LOSSES = Losses(
    since={
        "gone": "no message since {time}",
        "quiet": "no message since {time}",
        "no-camera": "no camera since {time}",
        "no-picture": "no picture since {time}",
        "covered": "camera covered or blinded since {time}",
        "dark": "too dark to see since {time}",
        "defocused": "picture blurred since {time}",
        "frozen": "picture frozen since {time}",
        "corrupt": "picture corrupt since {time}",
        "moved": "camera turned away since {time}",
    },
    mixed="no message or no picture since {time}",
    several="{who}: {what}",
    count="{count} devices",
    back="reports again",
)

_ENGLISH_BRIEF = Brief(
    alert="{heading} {title} {place} {time} {sentence}",
    headings={
        "first": "ALERT",
        "update": "UPDATE",
        "repeat": "STILL",
        "escalation": "NO ANSWER:",
        "resolved": "OVER:",
        "digest": "{count} alerts{ended}:",
        "contact": "NOTE:",
    },
    late="{age} LATE: {heading}",
    suspected="{title}? {percent}%",
    over="{title} (over)",
)

ENGLISH = Words(
    losses=_ENGLISH_LOSSES,
    brief=_ENGLISH_BRIEF,
    alert="{heading} {title} - {place}, {time}: {sentence}",
    headings={
        "first": "ALERT",
        "update": "UPDATE",
        "repeat": "STILL",
        "escalation": "NO ANSWER YET:",
        "resolved": "OVER:",
        "digest": "{count} alerts{ended}, the worst:",
        "contact": "NOTE:",
    },
    ended=" ({count} over)",
    all_ended=" (all over)",
    over="{title} (over)",
    suspected="camera suspects {title} ({percent} %)",
    contact={
        False: "NOTE: {name} wrote STOP and gets no notifications until START. Open alarms go to the next person.",
        True: "NOTE: {name} gets notifications again.",
    },
    away="NOTE: {name} is away until {time}. Open alarms go to the next person.",
    late="LATE by {age}: {heading}",
    by="{name} says it is over.",
    unseen="not seen for {minutes} min.",
    unanswered="Nobody answered.",
    answers={"take": "Acknowledge", "going": "On my way", "over": "It is over", "false": "False alarm"},
    again="(perhaps sent twice) ",
    between_places=", ",
    test="wordcam test message for {name}, {time}. Alerts will look like this and come to this number.",
    no_captions_yet="No captions yet.",
    waiting_for_database="waiting for {path}: start `wordcam-broker run`",
    online="online",
    offline="offline",
    ledger="{words} of words in place of {video} of video ({ratio} times less)",
    device="{place}: {state}, {captions} captions",
    severity={"info": "note", "warning": "warning", "critical": "DANGER"},
    printed="SMS to {number} (not sent: no account is set), {parts} part(s), {alphabet}",
    replies=Replies(
        acknowledged="Thank you. #{number} is yours; it is not escalated further.",
        already="{name} has #{number} already.",
        resolved="Thank you. #{number} is over.",
        false_alarm="Thank you. #{number} is written down as a false alarm.",
        over="#{number} is over already.",
        unknown="There is no alert of yours to answer to.",
        which="Which one? Open: {numbers}. Answer with the number, such as DONE {number}.",
        what="What about #{number}? OK {number} (I take care of it), DONE {number} (over) or FALSE {number}.",
        stopped="You get no more notifications. Answer START to get them again.",
        started="You get notifications again. Answer STOP to end them.",
        help="Not understood. Answer OK (I take care of it), DONE (it is over) or FALSE (false alarm).",
    ),
    notified="notified",
    cancelled="cancelled",
    fired="fires",
    nothing="no danger",
)

_KOREAN_LOSSES = Losses(
    since={
        "gone": "{time} 이후 응답 없음",
        "quiet": "{time} 이후 응답 없음",
        "no-camera": "{time} 이후 카메라 없음",
        "no-picture": "{time} 이후 영상 없음",
        "covered": "{time} 이후 카메라 가려짐",
        "dark": "{time} 이후 너무 어두움",
        "defocused": "{time} 이후 초점 흐림",
        "frozen": "{time} 이후 화면 멈춤",
        "corrupt": "{time} 이후 영상 깨짐",
        "moved": "{time} 이후 카메라 방향 바뀜",
    },
    mixed="{time} 이후 응답 또는 영상 없음",
    several="{who} {what}",
    count="장치 {count}대",
    back="정상 복구",
)

_KOREAN_BRIEF = Brief(
    alert="[{heading}] {title} {place} {time} {sentence}",
    headings={
        "first": "경보",
        "update": "갱신",
        "repeat": "계속",
        "escalation": "무응답",
        "resolved": "종료",
        "digest": "{count}건{ended}",
        "contact": "안내",
    },
    late="{age}지연 {heading}",
    plain=frozenset({"first", "escalation"}),
    suspected="{title} 의심 {percent}%",
    over="{title}(종료)",
)

KOREAN = Words(
    losses=_KOREAN_LOSSES,
    brief=_KOREAN_BRIEF,
    alert="[{heading}] {title} · {place} {time} {sentence}",
    headings={
        "first": "경보",
        "update": "경보 갱신",
        "repeat": "경보 계속",
        "escalation": "응답 없는 경보",
        "resolved": "상황 종료",
        "digest": "경보 {count}건{ended}",
        "contact": "안내",
    },
    ended=" 중 {count}건 종료",
    all_ended=" 모두 종료",
    over="{title}(종료)",
    suspected="{title} 의심({percent} %)",
    contact={
        False: "[안내] {name} 님 수신 거부(STOP). START 전까지 알림이 가지 않아 다음 담당자에게 보냅니다.",
        True: "[안내] {name} 님에게 알림을 다시 보냅니다.",
    },
    away="[안내] {name} 님 {time}까지 부재. 미종료 경보는 다음 담당자에게 보냅니다.",
    late="{age} 지연 · {heading}",
    by="{name} 확인.",
    unseen="{minutes}분 동안 보이지 않음.",
    unanswered="아무도 응답하지 않음.",
    answers={"take": "확인", "going": "출동", "over": "상황 종료", "false": "오경보"},
    again="(중복일 수 있음) ",
    between_places=" ",
    test="wordcam 시험 문자입니다. {name}, {time}. 경보가 이 번호로 옵니다.",
    no_captions_yet="아직 문장이 없습니다.",
    waiting_for_database="{path} 파일을 기다립니다. `wordcam-broker run`을 실행하세요",
    online="연결됨",
    offline="끊김",
    ledger="영상 {video} 대신 문장 {words} ({ratio}배 절약)",
    device="{place}: {state}, 문장 {captions}개",
    severity={"info": "참고", "warning": "주의", "critical": "위험"},
    printed="{number} 번호로 보낼 문자 (계정이 없어 보내지 않음), {parts}건, {alphabet}",
    replies=Replies(
        acknowledged="확인되었습니다. #{number} 담당으로 기록하고 다른 분께는 더 알리지 않습니다.",
        already="#{number} 경보는 이미 {name} 님이 맡았습니다.",
        resolved="#{number} 상황을 종료했습니다.",
        false_alarm="#{number} 경보를 오경보로 기록했습니다.",
        over="#{number} 상황은 이미 끝났습니다.",
        unknown="답할 경보가 없습니다.",
        which="어느 경보인가요? 미종료: {numbers}. 번호와 함께 답해 주세요. 예: 종료 {number}",
        what="#{number} 경보는 어떤가요? 확인 {number}(맡음), 종료 {number}, 오경보 {number} 중 하나로 답해 주세요.",
        stopped="알림을 더 보내지 않습니다. 다시 받으려면 START로 답해 주세요.",
        started="알림을 다시 보냅니다. 그만 받으려면 STOP으로 답해 주세요.",
        help="알 수 없는 답입니다. 확인(맡음), 종료(상황 끝), 오경보 중 하나로 답해 주세요.",
    ),
    notified="알림 보냄",
    cancelled="취소",
    fired="경보",
    nothing="위험 없음",
)


def of(language: Language) -> Words:
    """Return the words of a language."""
    return KOREAN if language == "ko" else ENGLISH


def byte_size(count: int) -> str:
    """Return a number of bytes as people read it: `1.5 MB`."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
