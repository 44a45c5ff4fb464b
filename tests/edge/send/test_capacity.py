"""The bits that a message can carry at most, and what docs/security.md says of them."""

import math
import re
from pathlib import Path

import msgspec
import pytest

from contract import capacity, caption, status, wire
from edge.config import Mqtt
from edge.send.publisher import NEWS_SECONDS

SECURITY = Path(__file__).resolve().parents[3] / "docs" / "security.md"


class Small(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose bits are counted by hand: a boolean, which may be left out, and one of four kinds of a string."""

    yes: bool = False
    kind: str


def test_bits_of_a_small_message_are_those_counted_by_hand() -> None:
    assert capacity.field_bits(Small)["yes"] == 1
    assert math.isinf(capacity.field_bits(Small)["kind"]), "a string without a limit"
    assert capacity.bits(Small) == wire.MAX_BYTES * 8, "and yet a message has its limit"


def test_a_sentence_has_the_bits_of_its_characters() -> None:
    found = capacity.field_bits(caption.Caption)

    assert found["text"] == pytest.approx(200 * math.log2(0x110000 - 0x800) + math.log2(201))
    assert found["confidence"] == 64
    assert found["seq"] == 31


def test_the_security_page_has_the_computed_bounds() -> None:
    said = SECURITY.read_text(encoding="utf-8")
    hourly = Mqtt(host="localhost").max_bytes_per_hour
    statuses = round(3600 / NEWS_SECONDS)
    figures = {
        "bits of a caption": round(capacity.bits(caption.Caption)),
        "bits of its sentence": round(capacity.field_bits(caption.Caption)["text"]),
        "bits of a status": round(capacity.bits(status.Status)),
        "bits of captions in an hour": 8 * 2 * hourly,
        "bits of statuses in an hour": round(capacity.bits(status.Status)) * (statuses + 60),
    }
    for name, value in figures.items():
        assert re.search(rf"\| {name} \| {value:,} \|", said), f"| {name} | {value:,} |"
