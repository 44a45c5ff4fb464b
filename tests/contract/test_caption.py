"""The caption event: what a field may hold, and what is refused."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import caption
from contract.caption import MAX_TEXT_CHARS, Caption
from contract.errors import Refused
from contract.examples import CAPTION, DEVICE, SITE
from tests.contract.strategies import names


def changed(**fields: Any) -> bytes:
    """Return the example as JSON with fields replaced."""
    return json.dumps({**json.loads(caption.encode(CAPTION)), **fields}).encode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", "x" * (MAX_TEXT_CHARS + 1)),
        ("text", "forged\nline"),
        ("text", "a bell \x07"),
        ("text", "a line\u2028separator"),
        ("text", "ends in a line feed\n"),
        ("site", "north-gate\n"),
        ("site", "../etc"),
        ("site", ""),
        ("site", "-gate"),
        ("site", "x" * 64),
        ("device", "pi/01"),
        ("device", "+"),
        ("stream", "#"),
        ("confidence", -0.01),
        ("confidence", "0.5"),
        ("labels", [{"name": "person", "count": 0, "score": 0.5}]),
        ("labels", [{"name": "person", "count": 1, "score": 0.5, "box": [0, 0, 1, 1]}]),
        ("labels", [{"name": "person", "count": 1, "score": 0.5}] * 9),
        ("hazards", [{"term": "gun", "probability": 2}]),
        ("people", -1),
        ("people", 1000),
        ("visits", [{"id": "9f3c61d2", "phase": "stays", "seconds": 1}] * 9),
        ("visits", [{"id": "9f3c61d2", "phase": "waits", "seconds": 1}]),
        ("visits", [{"id": "9f3c61d2", "phase": "stays", "seconds": -1}]),
        ("visits", [{"id": "9 f", "phase": "stays", "seconds": 1}]),
        ("visits", [{"id": "9f3c61d2", "phase": "stays", "seconds": 1, "zones": [{"name": "A b", "seconds": 1}]}]),
        ("visits", [{"id": "9f3c61d2", "phase": "stays", "seconds": 1, "face": "x"}]),
        ("language", "english\n"),
        ("seq", -1),
        ("seq", 1.5),
        ("id", "short"),
        ("id", "01JN8A2V6QZ0T7M4Y3K9XWB5CD\n"),
        ("specversion", "2.0"),
        ("type", "org.wordcam.caption.v2"),
        ("captured_at", "yesterday"),
        ("captured_at", "2026-03-01T06:30:02"),
        ("time", 1772346602),
    ],
)
def test_a_field_out_of_its_limits_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(Refused, match=rf"schema: .*\$\.{field}"):
        caption.decode(changed(**{field: value}))


@pytest.mark.parametrize("field", ["captured_at", "time"])
def test_a_time_that_is_not_utc_is_refused(field: str) -> None:
    with pytest.raises(Refused, match=r"schema: 2026-03-01T15:30:02\+09:00 is not in UTC"):
        caption.decode(changed(**{field: "2026-03-01T15:30:02+09:00"}))


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("field", ["captured_at", "time"])
def test_a_time_that_no_clock_can_show_is_refused(field: str, moment: str) -> None:
    with pytest.raises(Refused, match=r"schema: .* is not from 1970 to 2199"):
        caption.decode(changed(**{field: moment}))


def test_a_number_that_no_database_can_keep_is_refused() -> None:
    for seq in (2**31, 2**63, 10**400):
        with pytest.raises(Refused, match=r"schema: .*seq"):
            caption.decode(changed(seq=seq))


def test_a_time_that_is_not_utc_cannot_be_built() -> None:
    seoul = timezone(timedelta(hours=9))

    with pytest.raises(ValueError, match="not in UTC"):
        _rebuilt(captured_at=datetime(2026, 3, 1, 15, 30, tzinfo=seoul))


@pytest.mark.parametrize("missing", ["text", "captured_at", "site", "source", "id", "model", "time"])
def test_a_caption_without_a_needed_field_is_refused_by_its_name(missing: str) -> None:
    fields = json.loads(caption.encode(CAPTION))
    del fields[missing]

    with pytest.raises(Refused, match=f"schema: .*{missing}"):
        caption.decode(json.dumps(fields).encode())


def test_a_source_of_another_camera_is_refused_with_the_right_one() -> None:
    with pytest.raises(Refused, match="'/wordcam/north-gate/pi-01/cam-0' is right"):
        caption.decode(changed(source="/wordcam/north-gate/pi-01/cam-1"))


@pytest.mark.parametrize(("field", "expected"), [("site", {"site": "south"}), ("device", {"device": "pi-02"})])
def test_a_device_cannot_speak_for_another(field: str, expected: dict[str, str]) -> None:
    with pytest.raises(Refused, match=f"not-ours: `{field}` is"):
        caption.decode(caption.encode(CAPTION), **expected)


def test_a_device_may_speak_for_itself() -> None:
    assert caption.decode(caption.encode(CAPTION), site=SITE, device=DEVICE) == CAPTION


def test_the_sentence_is_the_first_thing_a_subscriber_sees() -> None:
    assert caption.encode(CAPTION).startswith(b'{"text":"a man holding a gun in a parking lot","captured_at":"2026-')


def test_a_korean_sentence_is_legible_on_the_wire() -> None:
    payload = caption.encode(_rebuilt(text="총을 든 남자", language="ko"))

    assert "총을 든 남자".encode() in payload


@given(st.lists(st.text()))
def test_words_become_one_line_that_a_caption_accepts(words: list[str]) -> None:
    text = caption.one_line(words)

    assert len(text) <= MAX_TEXT_CHARS
    assert "\n" not in text
    assert text == " ".join(text.split())


def test_a_long_sentence_is_cut_between_words() -> None:
    text = caption.one_line(["word"] * 60)

    assert text == " ".join(["word"] * 40)


@given(names, names, names)
def test_the_source_of_any_camera_is_accepted(site: str, device: str, stream: str) -> None:
    event = _rebuilt(site=site, device=device, stream=stream, source=caption.source(site, device, stream))

    assert caption.decode(caption.encode(event)).source == f"/wordcam/{site}/{device}/{stream}"


def _rebuilt(**fields: Any) -> Caption:
    """Build the example anew with fields replaced, so that its own checks run."""
    return Caption(**{**msgspec.structs.asdict(CAPTION), "time": datetime(2026, 3, 1, tzinfo=UTC), **fields})
