"""Says the reasons of decisions in Korean: the service keeps them in English, in a few forms of its own."""

import re
from typing import Final

from broker.config.section import Language

_KOREAN: Final[tuple[tuple[str, str], ...]] = (
    (r"says ('.*?'|\".*?\")", r"\1(이)라는 말이 있음"),
    (r"hazard (\S+) ([\d.]+) is at least ([\d.]+)", r"위험 \1의 확률 \2, 기준 \3 이상"),
    (r"confidence ([\d.]+) is below ([\d.]+)", r"확신도 \1, 기준 \2 미만"),
    (r"('.*?') stands before ('.*?')", r"\2 앞에 부정하는 말 \1"),
    (r"only in ('.*?'|\".*?\")", r"\1 안에만 나옴"),
    (r"nobody was told yet", "아직 아무에게도 알리지 않음"),
    (r"nobody could be told (.+)$", r"아무에게도 알릴 수 없었음 (\1)"),
    (r"nobody could be told before", "전에는 알릴 수 없었음"),
    (r"the last message is still on its way", "앞선 문자가 아직 가는 중"),
    (r"it is still there; the last message was sent (\d+) (s|min) ago", r"아직 보임, 마지막 문자 \1\2 전"),
    (r"the last message was sent (\d+) (s|min) ago", r"마지막 문자 \1\2 전"),
    (r"(\S+) sees it too", r"\1 카메라에도 보임"),
    (r"it is (\w+) now, and was told as (\w+)", r"알릴 때는 \2, 지금은 \1"),
    (r"told as (\S+)", r"\1 규칙으로 알림"),
    (r"people know of (\S+), incident (\d+)", r"더 큰 위험 \1(사건 \2)을 이미 알림"),
    (r"silence (\d+) of (.+?): ", r"\2 님의 알림 끄기 \1: "),
    (r"no recipient wants it", "받겠다는 사람이 없음"),
    (r"no camera sees it any more", "더는 보이지 않음"),
    (r"every device is well again", "모든 장치가 다시 정상"),
    (r"every device has been well for (\d+) s", r"모든 장치가 \1초 동안 정상"),
    (r"no word since ([\d-]+ [\d:]+)", r"\1부터 소식 없음"),
    (r"no camera since ([\d-]+ [\d:]+)", r"\1부터 카메라 없음"),
    (r"no picture since ([\d-]+ [\d:]+)", r"\1부터 영상 없음"),
    (r", and (\d+) more", r" 외 \1대"),
    (r"everyone was told, and nobody answered", "모두에게 알렸지만 답이 없음"),
    (r"nobody answered", "답이 없음"),
    (r"(\S+) cannot be reached now", r"\1 님과 지금 연락되지 않음"),
    (r"quiet hours", "방해 금지 시간"),
)
"""Patterns and what is said in their place; what none of them knows stays as it is."""


def say(reason: str, language: Language) -> str:
    """Give a reason in a language."""
    if language != "ko":
        return reason
    return "; ".join(_say(part) for part in reason.split("; ")) if reason else reason


def _say(part: str) -> str:
    for pattern, said in _KOREAN:
        part = re.sub(pattern, said, part)
    return part.replace("min 전", "분 전").replace("s 전", "초 전")
