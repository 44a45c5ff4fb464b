"""Dangers that begin and end, by captions that do not come in order."""

from datetime import UTC, datetime, timedelta

import msgspec

from contract import caption
from contract.caption import Caption, Hazard
from edge.send.integration import ongoing
from edge.send.integration.ongoing import Begun, Change, Ended, Memory
from tests.edge.outbox.test_outbox import event

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GUN = Hazard("gun", 0.9, 0.8, NOON)
DOUBTED = Hazard("gun", 0.4, 0.7)


def said(seq: int, *hazards: Hazard, stream: str = "cam-0") -> Caption:
    taken = NOON + timedelta(seconds=seq)
    source = caption.source("lab", "dev-1", stream)
    return msgspec.structs.replace(event(seq), captured_at=taken, hazards=hazards, stream=stream, source=source)


def changes(*events: Caption) -> list[Change]:
    memory: Memory = {}
    found = []
    for one in events:
        memory, more = ongoing.take(memory, one)
        found += more
    return found


def test_a_danger_begins_once_and_ends_once() -> None:
    found = changes(said(1), said(2, GUN), said(3, GUN), said(3, GUN), said(4, DOUBTED), said(5))

    assert found == [Begun("cam-0", GUN, NOON), Ended("cam-0", "gun", NOON + timedelta(seconds=4))]


def test_a_caption_that_waited_behind_a_danger_changes_nothing() -> None:
    assert changes(said(7, GUN), said(3), said(4)) == [Begun("cam-0", GUN, NOON)]


def test_each_camera_has_its_own_dangers() -> None:
    found = changes(said(1, GUN), said(2, GUN, stream="cam-1"), said(3, stream="cam-1"))

    assert [(type(one), one.stream) for one in found] == [(Begun, "cam-0"), (Begun, "cam-1"), (Ended, "cam-1")]


def test_a_danger_without_evidence_goes_on_while_it_is_likely() -> None:
    found = changes(said(1, Hazard("fire", 0.3)), said(2, Hazard("fire", 0.6)), said(3, Hazard("fire", 0.6)))

    assert found == [Begun("cam-0", Hazard("fire", 0.6), NOON + timedelta(seconds=2))]
