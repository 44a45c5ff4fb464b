"""Why a rule fires on a caption, or is cancelled: values that are worded, in each language, where they are shown."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from broker.config.section import Language


def _tag(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


class Reason(msgspec.Struct, frozen=True, tag_field="is", tag=_tag):
    """One reason; its fields are the parameters of its text."""


class Says(Reason, frozen=True):
    """The sentence names the danger; of a cancelled rule, the exception."""

    phrase: str


class HazardBelieved(Reason, frozen=True):
    """The model believes in the danger. Probabilities are from 0 to 1."""

    term: str
    probability: float
    least: float


class LabelCounted(Reason, frozen=True):
    """The detector counted enough objects."""

    label: str
    count: int
    least: int


class LowConfidence(Reason, frozen=True):
    """The captioner is not sure enough of its sentence. Both are from 0 to 1."""

    confidence: float
    least: float


class LabelMissing(Reason, frozen=True):
    """The detector counted fewer objects than the rule requires."""

    label: str
    least: int


class EnteredZone(Reason, frozen=True):
    """Somebody has entered a zone of the camera."""

    zone: str


class StayedInZone(Reason, frozen=True):
    """Somebody has been in a zone of the camera for long enough."""

    zone: str
    seconds: int
    least: int


class Stayed(Reason, frozen=True):
    """Somebody has been in view for long enough."""

    seconds: int
    least: int


class PeopleInView(Reason, frozen=True):
    """Enough people are in view."""

    count: int
    least: int


class NotEntered(Reason, frozen=True):
    """Nobody has just entered one of the zones."""

    zones: str


class StayedTooShortly(Reason, frozen=True):
    """Nobody has been there for long enough; `seconds` is the longest time of anyone."""

    seconds: int
    least: int


class TooFewPeople(Reason, frozen=True):
    """Fewer people are in view than the rule asks for."""

    count: int
    least: int


class OnlyIn(Reason, frozen=True):
    """The words of the danger stand in a harmless phrase alone: `fire` in `fire hydrant`."""

    phrase: str


class Denied(Reason, frozen=True):
    """The sentence denies the danger."""

    by: str
    """The word that denies it."""
    phrase: str


class Supposed(Reason, frozen=True):
    """The sentence only supposes the danger."""

    by: str
    phrase: str


class SeenTooRarely(Reason, frozen=True):
    """The danger was seen, and not often enough yet."""

    seen: int
    of: int
    within_seconds: float
    needed: int


Reasons = tuple[Reason, ...]
"""Several reasons of one decision, the first one first."""

Texts = dict[type[Reason], str]
"""Format strings by reason. A field is named as it is; `{reason_after_colon}` and `{reason_in_parentheses}` are empty
where the field `reason` is."""

TEXTS: Final[Mapping[Language, Texts]] = {
    "en": {
        Says: "says {phrase!r}",
        HazardBelieved: "hazard {term} {probability:.2f} is at least {least:.2f}",
        LabelCounted: "{count} {label} counted, {least} or more needed",
        LowConfidence: "confidence {confidence:.2f} is below {least:.2f}",
        LabelMissing: "requires {least} {label}",
        EnteredZone: "somebody entered {zone}",
        StayedInZone: "somebody has been in {zone} for {seconds} s, {least} or more needed",
        Stayed: "somebody has been in view for {seconds} s, {least} or more needed",
        PeopleInView: "{count} people in view, {least} or more needed",
        NotEntered: "nobody just entered {zones}",
        StayedTooShortly: "nobody stayed longer than {seconds} s; {least} are needed",
        TooFewPeople: "{count} people in view; {least} are needed",
        OnlyIn: "only in {phrase!r}",
        Denied: "{by!r} stands before {phrase!r}",
        Supposed: "{by!r} makes {phrase!r} a supposition",
        SeenTooRarely: "seen in {seen} of {of} captions within {within_seconds:g} s; {needed} are needed",
    },
    "ko": {
        Says: "문장에 {phrase!r} 있음",
        HazardBelieved: "위험 {term} 확률 {probability:.2f}, 기준 {least:.2f} 이상",
        LabelCounted: "{label} {count}개 검출, 기준 {least}개 이상",
        LowConfidence: "확신도 {confidence:.2f}, 기준 {least:.2f} 미만",
        LabelMissing: "{label} {least}개 이상이어야 함",
        EnteredZone: "{zone} 구역에 사람이 들어옴",
        StayedInZone: "{zone} 구역에 {seconds}초 머무름, 기준 {least}초 이상",
        Stayed: "화면에 {seconds}초 머무름, 기준 {least}초 이상",
        PeopleInView: "화면에 사람 {count}명, 기준 {least}명 이상",
        NotEntered: "{zones} 구역에 방금 들어온 사람 없음",
        StayedTooShortly: "가장 오래 머문 시간 {seconds}초, {least}초 필요",
        TooFewPeople: "화면에 사람 {count}명, {least}명 필요",
        OnlyIn: "{phrase!r} 안에만 나옴",
        Denied: "{phrase!r} 앞에 부정어 {by!r}",
        Supposed: "{phrase!r}에 가정 표현 {by!r}",
        SeenTooRarely: "{within_seconds:g}초 안의 문장 {of}개 중 {seen}개에서 보임, {needed}개 필요",
    },
}


def say(reasons: Sequence[Reason], texts: Texts) -> str:
    """Word reasons by these texts, separated by semicolons."""
    return "; ".join(fill(texts[type(reason)], msgspec.structs.asdict(reason)) for reason in reasons)


def in_english(reasons: Reasons) -> str:
    """Word the reasons of rules in English, for messages about the rules file."""
    return say(reasons, TEXTS["en"])


def fill(text: str, fields: Mapping[str, Any]) -> str:
    """Fill a format string in with the fields of a reason."""
    colons = {f"{name}_after_colon": f": {value}" if value else "" for name, value in fields.items()}
    parentheses = {f"{name}_in_parentheses": f" ({value})" if value else "" for name, value in fields.items()}
    return text.format_map(dict(fields) | colons | parentheses)
