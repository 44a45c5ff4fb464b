"""What a message on a topic is; no bytes at all may make the reader fall over."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.ingest import decoder
from broker.ingest.decoder import Message, Rejection
from contract import caption, status
from contract.caption import Caption
from tests.broker import device

TOPIC = "wordcam/v1/north-gate/pi-01/caption"


def changed(**changes: Any) -> bytes:
    tree = json.loads(caption.encode(device.event()))
    return json.dumps({key: value for key, value in (tree | changes).items() if value is not None}).encode()


def refusal(topic: str, payload: bytes) -> Rejection:
    reading = decoder.read(Message(topic, payload))
    assert isinstance(reading, Rejection)
    return reading


def test_a_caption_is_read() -> None:
    event = device.event()

    assert decoder.read(Message(TOPIC, caption.encode(event))) == event


def test_the_text_of_a_caption_is_composed() -> None:
    found = decoder.read(Message(TOPIC, changed(text=unicodedata.normalize("NFD", "총을 든 남자"))))

    assert isinstance(found, Caption)
    assert found.text == "총을 든 남자"


def test_a_status_is_read() -> None:
    said = device.status()

    assert decoder.read(Message("wordcam/v1/north-gate/pi-01/status", status.encode(said))) == said


@pytest.mark.parametrize(
    ("topic", "payload", "reason", "event_id"),
    [
        (TOPIC, b"\xff\xfe", "not-utf8", None),
        (TOPIC, b"", "not-json", None),
        (TOPIC, b"{", "not-json", None),
        (TOPIC, b'{"labels":' + b"[" * 2000, "schema", None),
        (TOPIC, b"[]", "schema", None),
        (TOPIC, b'{"id": 7}', "schema", None),
        (TOPIC, b'{"id": ""}', "schema", None),
        (TOPIC, b'{"id": "event-1"}', "schema", "event-1"),
        (TOPIC, changed(text="a" * 201), "schema", "event-00000000"),
        (TOPIC, changed(text="a\nb"), "schema", "event-00000000"),
        (TOPIC, changed(text=None), "schema", "event-00000000"),
        (TOPIC, changed(confidence=1.5), "schema", "event-00000000"),
        (TOPIC, changed(password="x"), "schema", "event-00000000"),
        (TOPIC, changed(captured_at="yesterday"), "schema", "event-00000000"),
        (TOPIC, changed(captured_at="2026-03-14T12:00:00+09:00"), "schema", "event-00000000"),
        (TOPIC, changed(text="a" * 3000), "too-large", "event-00000000"),
        (TOPIC, changed(text="a" * 70000), "too-large", None),
        (TOPIC, changed(device="pi-02", source="/wordcam/north-gate/pi-02/cam-0"), "not-ours", "event-00000000"),
        ("wordcam/v1/South Gate/pi-01/caption", changed(), "not-ours", None),
        ("wordcam/v2/north-gate/pi-01/caption", changed(), "not-ours", None),
        ("wordcam/v1/north-gate/pi-01/ack", b"{}", "not-ours", None),
        ("wordcam/v1/north-gate/pi-01/status", b'{"id": "event-1"}', "schema", None),
        ("", b"", "not-ours", None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_does_not_keep_the_contract_is_named(
    topic: str, payload: bytes, reason: str, event_id: str | None
) -> None:
    found = refusal(topic, payload)

    assert (found.reason, found.event_id) == (reason, event_id)


anything = st.one_of(st.binary(max_size=3000), st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=50) | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "text", "labels"]) | st.text(), inner),
).map(lambda tree: json.dumps(tree).encode()))  # fmt: skip

topic_names = st.one_of(
    st.text(),
    st.lists(st.sampled_from(["wordcam", "v1", "north-gate", "pi-01", "caption", "status", "ack", "+", "#", ""])).map(
        "/".join
    ),
    st.just(TOPIC),
)


@given(topic_names, anything)
def test_no_topic_and_no_bytes_make_the_reader_fall_over(topic: str, payload: bytes) -> None:
    reading = decoder.read(Message(topic, payload))

    assert isinstance(reading, Rejection)


fields = st.sampled_from(sorted(json.loads(changed())))
values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=250) | st.lists(st.text(max_size=9))


@given(st.dictionaries(fields, values, min_size=1, max_size=3))
def test_a_caption_with_strange_fields_is_read_as_it_is_or_refused(changes: dict[str, Any]) -> None:
    reading = decoder.read(Message(TOPIC, changed(**changes)))

    assert isinstance(reading, Rejection) or caption.decode(changed(**changes)) == reading
