"""What leaves the device: bytes of the contract's encoder, and no others."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import caption, wire
from contract.caption import Hazard, Label
from contract.errors import Refused
from edge.outbox.outbox import Waiting
from edge.send.admission import admitted
from tests.edge.outbox.test_outbox import JPEG, event

GOOD = caption.encode(event(3))


def row(payload: bytes, seq: int = 3, event_id: str = "event-000003", age_seconds: float | None = None) -> Waiting:
    return Waiting(seq, event_id, payload, age_seconds)


def test_a_caption_leaves_as_it_was_written() -> None:
    assert admitted(row(GOOD), site="lab", device="dev-1") == GOOD


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (row(JPEG), "too-large"),
        (row(JPEG[:2000]), "not-utf8"),
        (row(b""), "not-json"),
        (row(GOOD[:-1] + b', "picture": "AAAA"}'), "schema"),
        (row(GOOD, seq=4), "schema"),
        (row(GOOD, event_id="event-000004"), "schema"),
        (row(GOOD.replace(b"dev-1", b"dev-2")), "not-ours"),
    ],
)
def test_what_is_no_caption_of_this_device_is_refused(found: Waiting, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        admitted(found, site="lab", device="dev-1")

    assert refused.value.reason == reason


def test_what_is_hidden_between_the_fields_does_not_leave() -> None:
    spaced = json.dumps(json.loads(GOOD), indent=3).encode()
    twice = b'{"text": "' + b"QUJD" * 40 + b'",' + GOOD[1:]

    assert admitted(row(spaced), site="lab", device="dev-1") == GOOD
    assert admitted(row(twice), site="lab", device="dev-1") == GOOD


@given(st.binary(max_size=4000))
def test_any_bytes_are_refused_or_leave_as_a_caption(payload: bytes) -> None:
    try:
        sent = admitted(row(payload), site="lab", device="dev-1")
    except Refused:
        return
    assert msgspec.json.decode(sent)["device"] == "dev-1"


def test_how_old_it_is_is_said_anew_whatever_the_row_says() -> None:
    said = GOOD[:-1] + b',"age_seconds":99}'

    sent = [admitted(row(said, age_seconds=age), site="lab", device="dev-1") for age in (12.4, 1e12, None)]

    ages = [caption.decode(payload).age_seconds for payload in sent]
    assert ages == [12, caption.MAX_AGE_SECONDS, msgspec.UNSET]


def test_an_event_without_room_for_its_age_leaves_without_it() -> None:
    found = event(3)
    full = msgspec.structs.replace(found, hazards=tuple(Hazard("x" * 32, 0.123, 0.123) for _ in range(8)))
    while len(caption.encode(full)) < wire.MAX_BYTES - 10 and len(full.labels) < 8:
        full = msgspec.structs.replace(full, labels=(*full.labels, Label("y" * 32, 1, 0.5)))
    room = wire.MAX_BYTES - len(caption.encode(full))
    full = msgspec.structs.replace(full, text="z" * min(200, len(full.text) + room))
    payload = caption.encode(full)

    sent = admitted(row(payload, age_seconds=5.0), site="lab", device="dev-1")

    assert len(sent) <= wire.MAX_BYTES
    assert caption.decode(sent).text == full.text
