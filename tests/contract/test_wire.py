"""What every message has in common: its size, its encoding, its refusals, and the golden files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contract import ack, bundle, caption, errors, examples, status, thresholds, update, wire
from contract.docs import schemas
from contract.errors import Refused
from tests.contract.refusals import reason
from tests.contract.strategies import acks, captions, raised_thresholds, statuses

GOLDEN = Path(__file__).parent / "golden"

Decoder = Callable[[bytes], msgspec.Struct]

EXAMPLES: dict[str, tuple[str, msgspec.Struct, Decoder]] = {
    "caption": ("caption", examples.CAPTION, caption.decode),
    "status-online": ("status", examples.ONLINE, status.decode),
    "status-last-will": ("status", examples.LAST_WILL, status.decode),
    "ack": ("ack", examples.ACK, ack.decode),
    "caption-standing": ("caption", examples.CAPTION_WITH_EVIDENCE, caption.decode),
    "caption-visits": ("caption", examples.CAPTION_WITH_VISITS, caption.decode),
    "status-calm": ("status", examples.KNOWS_ITS_CALM, status.decode),
    "status-cameras": ("status", examples.HAS_SEVERAL_CAMERAS, status.decode),
    "status-conditions": ("status", examples.IS_COVERED, status.decode),
    "status-fallbacks": ("status", examples.WORKS_WITH_THE_LAST_GOOD, status.decode),
    "thresholds": ("thresholds", examples.THRESHOLDS, thresholds.decode),
    "update": ("update", examples.OFFER, update.decode),
    "status-rolled-back": ("status", examples.ROLLED_BACK, status.decode),
}

DECODERS = pytest.mark.parametrize(
    "decode",
    [caption.decode, status.decode, ack.decode, thresholds.decode, update.decode],
    ids=["caption", "status", "ack", "thresholds", "update"],
)


def read(name: str) -> bytes:
    return (GOLDEN / f"{name}.json").read_bytes().removesuffix(b"\n")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_bytes_of_a_message_have_not_changed(name: str) -> None:
    _, message, _ = EXAMPLES[name]

    assert wire.encode(message) == read(name)


@pytest.mark.parametrize("name", EXAMPLES)
def test_yesterdays_message_is_still_read(name: str) -> None:
    _, message, decode = EXAMPLES[name]

    assert decode(read(name)) == message


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_golden_message_fits_its_published_schema(name: str) -> None:
    kind, _, _ = EXAMPLES[name]

    jsonschema.validate(json.loads(read(name)), _schema(kind), format_checker=jsonschema.FormatChecker())


def test_the_golden_manifest_fits_its_published_schema() -> None:
    manifest = json.loads((GOLDEN / "manifest.json").read_bytes())

    jsonschema.validate(manifest, _schema("bundle"))


def test_the_bytes_of_a_manifest_have_not_changed(tmp_path: Path) -> None:
    written = bundle.write(tmp_path, examples.MANIFEST)

    assert written.read_bytes() == (GOLDEN / "manifest.json").read_bytes()


@pytest.mark.parametrize("name", schemas.KINDS)
def test_a_schema_is_itself_valid(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(_schema(name))


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("caption", "text", ""),
        ("caption", "text", "two\nlines"),
        ("caption", "site", "North Gate"),
        ("caption", "site", "gate\n"),
        ("caption", "confidence", 1.5),
        ("caption", "picture", "/9j/4AAQ"),
        ("status-online", "state", "asleep"),
        ("ack", "stored", ["a"] * 25),
    ],
)
def test_what_the_decoder_refuses_the_schema_refuses_too(name: str, field: str, value: Any) -> None:
    kind, _, decode = EXAMPLES[name]
    broken = {**json.loads(read(name)), field: value}

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, _schema(kind))
    with pytest.raises(Refused, match="schema"):
        decode(json.dumps(broken).encode())


@DECODERS
@given(payload=st.binary(max_size=wire.MAX_BYTES + 10))
def test_any_bytes_are_read_or_refused_with_a_known_reason(decode: Decoder, payload: bytes) -> None:
    assert reason(lambda: decode(payload)) in (None, *errors.REASONS)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(list(json.loads(read("caption")))) | st.text(), inner)
    ),
    max_leaves=20,
)


@DECODERS
@given(value=json_values)
def test_any_json_is_read_or_refused_with_a_known_reason(decode: Decoder, value: Any) -> None:
    assert reason(lambda: decode(json.dumps(value).encode())) in (None, *errors.REASONS)


@DECODERS
@given(data=st.data())
def test_a_message_with_one_field_replaced_is_read_or_refused(decode: Decoder, data: st.DataObject) -> None:
    name = next(name for name, (_, _, known) in EXAMPLES.items() if known is decode)
    fields = json.loads(read(name))
    fields[data.draw(st.sampled_from(sorted(fields)))] = data.draw(json_values)

    # json.dumps writes infinity, which JSON does not have.
    assert reason(lambda: decode(json.dumps(fields).encode())) in {None, "schema", "too-large", "not-json"}


@given(message=captions() | statuses | acks | raised_thresholds)
def test_what_is_written_is_read_back_the_same(message: msgspec.Struct) -> None:
    assume(reason(lambda: wire.encode(message)) != "too-large")

    payload = wire.encode(message)

    assert wire.decode(payload, type(message)) == message
    assert len(payload) <= wire.MAX_BYTES
    assert b"\n" not in payload


@DECODERS
def test_a_message_of_one_byte_over_the_limit_is_refused_unread(decode: Decoder) -> None:
    with pytest.raises(Refused, match=r"too-large: the message has 2049 bytes, at most 2048"):
        decode(b"\xff" * 2049)


@DECODERS
def test_a_message_that_is_not_utf8_is_refused(decode: Decoder) -> None:
    with pytest.raises(Refused, match=r"not-utf8: byte 9 of the message"):
        decode(b'{"text":"\xe9"}')


@DECODERS
def test_a_picture_in_place_of_a_message_is_refused(decode: Decoder) -> None:
    with pytest.raises(Refused, match="not-utf8"):
        decode(b"\xff\xd8\xff\xe0\x00\x10JFIF")


@DECODERS
@pytest.mark.parametrize("payload", [b"", b"{", b"null null", b"[" * 2000, b'{"a": NaN}'])
def test_text_that_is_no_json_is_refused(decode: Decoder, payload: bytes) -> None:
    with pytest.raises(Refused, match=r"not-json|schema"):
        decode(payload)


@DECODERS
def test_a_field_that_nobody_knows_is_refused_by_name(decode: Decoder) -> None:
    name = next(name for name, (_, _, known) in EXAMPLES.items() if known is decode)
    fields = {**json.loads(read(name)), "picture": "…"}

    with pytest.raises(Refused, match=r"schema: .*picture"):
        decode(json.dumps(fields).encode())


def test_a_message_that_grew_too_large_is_not_sent() -> None:
    label = caption.Label("x" * 32, 1, 0.123456789012345)
    event = msgspec.structs.replace(
        examples.CAPTION,
        text="가" * 200,
        labels=(label,) * 8,
        hazards=(caption.Hazard("y" * 32, 0.123456789012345),) * 8,
    )

    with pytest.raises(Refused, match="too-large"):
        caption.encode(event)


def _schema(name: str) -> Any:
    return json.loads((Path(__file__).resolve().parents[2] / "docs" / "schema" / f"{name}.json").read_bytes())
