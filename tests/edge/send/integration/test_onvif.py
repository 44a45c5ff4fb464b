"""ONVIF events: topics and payloads by the specification's rules, and what stays after the device has restarted."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from contract import examples
from contract.caption import Caption, Hazard
from contract.status import CameraCondition, Condition
from edge import config
from edge.send.integration import onvif
from edge.send.integration.onvif import Memory, Onvif
from edge.send.integration.port import Message

SINCE = datetime(2026, 3, 1, 6, 28, 40, tzinfo=UTC)


def made(memory: Memory = onvif.NOTHING, prefix: str = "") -> tuple[Onvif, list[Memory]]:
    """Return an integration, and what it keeps for the next process."""
    kept: list[Memory] = []
    settings = config.Onvif(topic_prefix=prefix)
    return Onvif(settings, site=examples.SITE, device=examples.DEVICE, memory=memory, keep=kept.append), kept


def calm(seq: int) -> Caption:
    return msgspec.structs.replace(examples.CAPTION_WITH_EVIDENCE, seq=seq, hazards=())


def read(message: Message) -> tuple[str, object]:
    return message.topic, json.loads(message.payload)


def test_a_danger_is_a_retained_property_event_of_its_camera_and_rule() -> None:
    integration, _ = made()

    (begun,) = integration.on_caption(examples.CAPTION_WITH_EVIDENCE)
    (ended,) = integration.on_caption(calm(4712))

    topic = "north-gate/pi-01/onvif-ej/RuleEngine/wordcam:Danger/&cam-0/gun"
    source = {"VideoSource": "cam-0", "Rule": "gun"}
    at = "2026-03-01T06:30:00.300000Z"
    assert read(begun) == (topic, {"UtcTime": at, "Source": source, "Data": {"State": True, "Likelihood": 0.98}})
    at = "2026-03-01T06:30:02.125000Z"
    assert read(ended) == (topic, {"UtcTime": at, "Source": source, "Data": {"State": False}})
    assert begun.retain
    assert ended.retain


@pytest.mark.parametrize(
    ("condition", "local"),
    [
        (Condition.DARK, "VideoSource/ImageTooDark/AnalyticsService"),
        (Condition.DEFOCUSED, "VideoSource/ImageTooBlurry/AnalyticsService"),
        (Condition.COVERED, "VideoSource/GlobalSceneChange/AnalyticsService"),
        (Condition.FROZEN, "VideoSource/wordcam:Frozen/AnalyticsService"),
    ],
)
def test_a_camera_condition_is_onvifs_own_event_where_there_is_one(condition: Condition, local: str) -> None:
    integration, _ = made(prefix="Camera 1")
    ill = msgspec.structs.replace(examples.ONLINE, conditions=(CameraCondition("cam-0", condition, SINCE),))

    (begun,) = integration.on_status(ill)
    assert list(integration.on_status(ill)) == []
    (ended,) = integration.on_status(examples.ONLINE)

    topic = f"Camera 1/onvif-ej/{local}/&cam-0"
    source = {"Source": "cam-0"}
    at = "2026-03-01T06:28:40Z"
    assert read(begun) == (topic, {"UtcTime": at, "Source": source, "Data": {"State": True}})
    at = "2026-03-01T06:31:00Z"
    assert read(ended) == (topic, {"UtcTime": at, "Source": source, "Data": {"State": False}})


def test_two_conditions_of_one_event_end_it_with_the_last_of_them() -> None:
    integration, _ = made()
    covered, moved = (CameraCondition("cam-0", one, SINCE) for one in (Condition.COVERED, Condition.MOVED))
    both = msgspec.structs.replace(examples.ONLINE, conditions=(covered, moved))
    one = msgspec.structs.replace(examples.ONLINE, conditions=(moved,))

    assert len(list(integration.on_status(both))) == 1
    assert len(list(integration.on_status(one))) == 0
    assert len(list(integration.on_status(examples.ONLINE))) == 1


def test_a_new_process_ends_what_the_last_one_began() -> None:
    first, kept = made()
    list(first.on_caption(examples.CAPTION_WITH_EVIDENCE))
    list(first.on_status(examples.IS_COVERED))
    second, _ = made(msgspec.json.decode(msgspec.json.encode(kept[-1]), type=Memory))

    assert list(second.on_caption(examples.CAPTION_WITH_EVIDENCE)) == []
    assert [json.loads(one.payload)["Data"] for one in second.on_caption(calm(5000))] == [{"State": False}]
    assert [json.loads(one.payload)["Data"] for one in second.on_status(examples.ONLINE)] == [{"State": False}]


def test_a_danger_in_doubt_is_no_event() -> None:
    integration, _ = made()
    doubted = msgspec.structs.replace(examples.CAPTION_WITH_EVIDENCE, hazards=(Hazard("gun", 0.4, 0.7),))

    assert list(integration.on_caption(doubted)) == []


def test_a_last_will_says_nothing_of_the_camera() -> None:
    integration, _ = made()
    list(integration.on_status(examples.IS_COVERED))

    assert list(integration.on_status(examples.LAST_WILL)) == []
