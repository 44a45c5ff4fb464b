"""Every sentence the demo says, in each language."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "ko"]


@dataclass(frozen=True, slots=True)
class Words:
    """One language. Braces are filled by name."""

    looks_at: str
    rendered: str
    """`film`."""
    camera: str
    rules: str
    mqtt: str
    broker: str
    console: str
    """`address`, `name`, `password`."""
    stay: str
    edge: str
    live: str
    interrupted: str
    summary: str
    frames: str
    captions: str
    alerts: str
    no_alert: str
    traffic: str
    first_caption: str
    latency: str


ENGLISH = Words(
    looks_at="It looks at {source}.",
    rendered="a rendered film of 16 seconds, {film}: a backyard where after four seconds a waste bin begins to burn",
    camera="your camera {card} ({device})",
    rules="Drawn, not photographed: no package brings a film of a fire. Model, rules and message are the real ones: "
    "wordcam-1 as it is shipped, and config/rules.yaml. The model errs; docs/models/wordcam-1.md says how often.",
    mqtt="1. {server} listens on 127.0.0.1:{port}; passwords were made for this run.",
    broker="2. The alert service is ready; it prints text messages and sends none.",
    console="   Console: {address}  (name {name}, password {password}, for this run alone)",
    stay="The console stays open: {address} shows the incident. Press Enter to end.",
    edge="3. The device starts: {model}.",
    live="Sentences as they reach the server (Ctrl-C ends):",
    interrupted="Stopping.",
    summary="What happened",
    frames="frames seen",
    captions="captions",
    alerts="alerts",
    no_alert="0: no sentence matched a rule",
    traffic="{words} of words in place of {video} of video, {ratio} times less",
    first_caption="first caption",
    latency="latency, ms",
)

KOREAN = Words(
    looks_at="보는 것: {source}",
    rendered="그려서 만든 16초짜리 영상 {film}: 뒷마당의 쓰레기통에 4초 뒤 불이 붙습니다",
    camera="카메라 {card} ({device})",
    rules="촬영한 영상이 아니라 그린 영상입니다. 화재 영상이 담긴 패키지가 없기 때문입니다. "
    "모델과 규칙과 문자는 실제와 같습니다. 배포하는 wordcam-1 모델과 config/rules.yaml을 씁니다. "
    "모델은 틀리기도 합니다. 얼마나 자주 틀리는지는 docs/models/wordcam-1.md에 있습니다.",
    mqtt="1. {server}가 127.0.0.1:{port}에서 듣습니다. 비밀번호는 이번 실행에만 씁니다.",
    broker="2. 경보 서비스가 준비되었습니다. 문자를 보내지 않고 화면에 보여 줍니다.",
    console="   관제 화면: {address}  (이름 {name}, 비밀번호 {password}, 이번 실행에만 씁니다)",
    stay="관제 화면은 열려 있습니다. {address}에서 사건을 볼 수 있습니다. Enter를 누르면 끝납니다.",
    edge="3. 장치를 켭니다: {model}",
    live="서버에 도착하는 문장 (Ctrl-C로 끝냅니다):",
    interrupted="멈춥니다.",
    summary="결과",
    frames="본 프레임",
    captions="문장",
    alerts="경보",
    no_alert="0: 규칙에 맞는 문장이 없었습니다",
    traffic="영상 {video} 대신 문장 {words}, {ratio}배 절약",
    first_caption="첫 문장까지",
    latency="지연, ms",
)


def of(language: Language) -> Words:
    """Return the words of a language."""
    return KOREAN if language == "ko" else ENGLISH
