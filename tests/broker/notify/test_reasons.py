"""The reasons of decisions: kept as they were, and worded in both languages."""

import re
import string
import typing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from broker.config.section import SEVERITIES, Language
from broker.incidents.incident import State
from broker.incidents.presence.detector import Cause
from broker.notify import reasons
from broker.notify.message import reason_texts, texts
from broker.notify.notifications import Kind
from broker.notify.reasons import KINDS, DeviceMissing, How, NoAnswer, NotificationFor, NotNotifiedYet, Prose, Silenced
from broker.rules.reasons import HazardBelieved, Reason, Says

VALUES: dict[str, tuple[str, ...]] = {
    "severity": SEVERITIES,
    "before": SEVERITIES,
    "state": tuple(State),
    "kind": tuple(Kind),
    "cause": tuple(Cause),
    "how": typing.get_args(How),
}
"""Fields whose values are words of the domain."""


def example(kind: type[Reason]) -> Reason:
    """Make a reason with a value in every field."""
    made: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.name == "reasons":
            made[field.name] = (NoAnswer(5),)
        elif field.name in VALUES:
            made[field.name] = VALUES[field.name][0]
        else:
            made[field.name] = {str: "x", int: 3, float: 0.5}[field.type]
    return kind(**made)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_reason_is_worded_in_both_languages_and_kept(kind: type[Reason]) -> None:
    reason = example(kind)
    english, korean = (reason_texts.say((reason,), language) for language in ("en", "ko"))

    assert english
    assert korean
    assert reasons.decode(reasons.encode((reason,))) == (reason,)


def test_no_kind_of_reason_is_forgotten() -> None:
    def below(kind: type[Reason]) -> set[type[Reason]]:
        return {kind}.union(*(below(one) for one in kind.__subclasses__()))

    assert below(Reason) - {Reason} == set(KINDS) == set(reason_texts.TEXTS["en"]) == set(reason_texts.TEXTS["ko"])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_both_languages_say_the_same_parameters(kind: type[Reason]) -> None:
    def names(language: Language) -> set[str]:
        gaps = (gap for _, gap, _, _ in string.Formatter().parse(reason_texts.TEXTS[language][kind]) if gap)
        return {re.sub("_after_colon|_in_parentheses", "", gap) for gap in gaps}

    assert names("en") == names("ko")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Prose], ids=lambda kind: kind.__name__)
def test_a_korean_reason_holds_no_english_words(kind: type[Reason]) -> None:
    said = reason_texts.say((example(kind),), "ko")

    assert re.findall("[a-z]{2,}", said) == []


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in VALUES.items() for value in values])
def test_every_value_of_the_domain_has_a_korean_word(field: str, value: str) -> None:
    assert re.search("[가-힣]", reason_texts.VALUES["ko"][field][value])


def test_a_reason_of_version_0_1_stays_readable() -> None:
    old = "says 'gun'; nobody was told yet"

    assert reason_texts.say(old, "en") == reason_texts.say(old, "ko") == old


def test_a_reason_of_a_newer_version_is_shown_as_it_is_stored() -> None:
    newer = '[{"is":"phase-of-the-moon","phase":3}]'

    assert reasons.decode(newer) == (Prose(newer),)


def test_a_note_that_looks_like_a_reason_stays_a_note() -> None:
    note = Prose(reasons.encode((NotNotifiedYet(),)))

    assert reasons.decode(reasons.encode((note,))) == (note,)


def test_reasons_within_a_reason_are_worded_too() -> None:
    made = NotificationFor("first", "kim, lee", (Says("gun"), NotNotifiedYet()))

    assert reason_texts.say((made,), "en") == "alert: kim, lee: says 'gun'; nobody was notified yet"
    assert reason_texts.say((made,), "ko") == "경보: kim, lee: 문장에 'gun' 있음; 첫 알림"


@given(st.lists(st.builds(Silenced, st.integers(1, 2**31), st.text(max_size=64), st.text(max_size=400)), max_size=5))
def test_whatever_the_words_the_stored_text_fits_and_can_be_read(found: list[Silenced]) -> None:
    text = reasons.encode(found)

    assert len(text) <= reasons.MAX_CHARS
    assert all(isinstance(one, Silenced) for one in reasons.decode(text))


@given(st.text(max_size=400))
def test_any_stored_text_can_be_worded(text: str) -> None:
    assert bool(reason_texts.say(text, "ko")) == bool(text)


def test_a_korean_reason_has_no_english_word_of_what_the_programs_know() -> None:
    gone = reasons.DeviceMissing("gone", "08:54:00", "connection lost")
    believed = HazardBelieved("gun", 0.73, 0.5)

    assert (
        reason_texts.say((gone, believed), "ko")
        == "08:54:00 이후 응답 없음 (연결 끊김); 위험 총 확률 0.73, 기준 0.50 이상"
    )


def test_the_lowest_severity_has_one_name_in_texts_and_console() -> None:
    console = yaml.safe_load((Path(__file__).parents[3] / "broker" / "web" / "texts" / "ko.yaml").read_text("utf-8"))

    assert console["severity"] == dict(texts.KOREAN.severity) == reason_texts.VALUES["ko"]["severity"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("connection lost", "03:00 이후 응답 없음 (연결 끊김)"),
        ("camera gone: /dev/video0", "03:00 이후 응답 없음 (카메라 빠짐: /dev/video0)"),
        ("out of memory", "03:00 이후 응답 없음"),
    ],
)
def test_what_a_device_says_of_itself_stands_in_no_korean_reason_as_english(text: str, said: str) -> None:
    assert reason_texts.say((DeviceMissing("gone", "03:00", text),), "ko") == said
