"""Which devices are missed, and when they are back: with the desk, the rounds and a database."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from broker.incidents.incident import State as StateCollector
from broker.incidents.presence import devices
from broker.notify.message import reason_texts
from broker.notify.reasons import SeenByMany
from broker.store.engine import reading
from contract.status import CameraCondition, Condition, Ledger, State
from tests.broker.incidents.presence.missing_devices import pass_by, texts
from tests.broker.scene import Scene

Make = Callable[..., Scene]


def test_a_device_that_falls_silent_is_told_of_and_so_is_its_return(missing_scene: Make) -> None:
    room = missing_scene()
    room.state("pi-01")

    assert pass_by(room, seconds=170) == []
    assert pass_by(room, seconds=10) == ["first to guard"]
    assert pass_by(room, seconds=600) == []
    assert pass_by(room, "pi-01", seconds=50) == []
    assert pass_by(room, "pi-01", seconds=10) == ["resolved to guard"]

    assert room.incident.state is StateCollector.RESOLVED
    assert room.incident.caption_id is None
    assert [(one.device, one.cause) for one in room.incident.lost] == [("pi-01", "quiet")]
    assert texts(room) == [
        "ALERT Device silent - north-gate, pi-01, 03:03: no message since 03:00 #1",
        "OVER: Device silent - north-gate, pi-01, 03:14: reports again #1",
    ]
    assert texts(room, "ko") == [
        "[경보] 장치 무응답 · north-gate pi-01 03:03 03:00 이후 응답 없음 #1",
        "[상황 종료] 장치 무응답 · north-gate pi-01 03:14 정상 복구 #1",
    ]


def test_a_device_that_restarts_in_time_is_not_missed(missing_scene: Make) -> None:
    room = missing_scene()
    room.state("pi-01")
    room.state("pi-01", State.OFFLINE)
    assert pass_by(room, seconds=50) == []

    room.state("pi-01", since=room.now)

    assert pass_by(room, "pi-01", seconds=120) == []
    assert room.incidents == []


def test_a_site_that_goes_dark_is_one_incident_and_one_message(missing_scene: Make) -> None:
    room = missing_scene()
    names = [f"pi-{number:02}" for number in range(1, 13)]
    for name in names:
        room.state(name)
    gone: list[str] = []
    for name in names:  # last wills come as keepalives run out, over 48 s
        room.state(name, State.OFFLINE, reason="connection lost")
        gone += room.wait(seconds=4)

    gone += pass_by(room, seconds=300)

    assert gone == ["first to guard"]
    assert room.incident.cameras == tuple(names)
    assert texts(room) == [f"ALERT Device silent - north-gate, 03:01: {', '.join(names)}: no message since 03:00 #1"]
    assert texts(room, "ko") == ["[경보] 장치 무응답 · north-gate 03:01 장치 12대 03:00 이후 응답 없음 #1"]
    assert reason_texts.say(room.events()[0].detail, "en") == (
        "device-silent at pi-01: no message since 2026-03-14 03:00:00 (connection lost)"
    )
    assert room.events()[1].detail == (SeenByMany(", ".join(names[1:9]), 3),)


def test_another_device_that_falls_silent_later_is_an_update(missing_scene: Make) -> None:
    room = missing_scene()
    room.state("pi-01")
    room.state("pi-02")
    assert pass_by(room, "pi-02", seconds=200) == ["first to guard"]

    assert pass_by(room, seconds=200) == ["update to guard"]

    assert "pi-01, pi-02: no message since 03:00" in texts(room)[1]


def test_two_sites_are_two_incidents(missing_scene: Make) -> None:
    room = missing_scene()
    room.state("pi-01")
    room.state("pi-01", site="depot")

    assert pass_by(room, seconds=200) == ["first to guard", "first to guard"]

    assert [one.site for one in room.incidents] == ["depot", "north-gate"]


def test_captions_are_words_too(missing_scene: Make) -> None:
    room = missing_scene()
    room.state("pi-01")
    for _ in range(30):
        room.wait(seconds=10)
        room.say("a man walks")

    assert room.incidents == []


def test_a_camera_that_is_gone_is_told_of_although_its_device_speaks(missing_scene: Make) -> None:
    room = missing_scene()
    gone: list[str] = []
    for number in range(10):
        room.state("pi-01", reason=f"camera gone: attempt {number}")
        gone += room.wait(seconds=10)
    for _ in range(7):
        gone += pass_by(room, "pi-01", seconds=10)

    assert gone == ["first to guard", "resolved to guard"]
    assert texts(room)[0] == "ALERT Camera lost - north-gate, pi-01, 03:01: no camera since 03:00 #1"


@pytest.mark.parametrize(
    ("condition", "english", "korean"),
    [
        (Condition.COVERED, "camera covered or blinded since 03:00", "03:00 이후 카메라 가려짐"),
        (Condition.DARK, "too dark to see since 03:00", "03:00 이후 너무 어두움"),
        (Condition.DEFOCUSED, "picture blurred since 03:00", "03:00 이후 초점 흐림"),
        (Condition.FROZEN, "picture frozen since 03:00", "03:00 이후 화면 멈춤"),
        (Condition.CORRUPT, "picture corrupt since 03:00", "03:00 이후 영상 깨짐"),
        (Condition.MOVED, "camera turned away since 03:00", "03:00 이후 카메라 방향 바뀜"),
    ],
)
def test_a_camera_condition_is_an_incident_by_its_own_rule_until_the_picture_is_well(
    missing_scene: Make, condition: Condition, english: str, korean: str
) -> None:
    room = missing_scene()
    gone: list[str] = []
    for number in range(10):
        found = CameraCondition("cam-0", condition, room.now)
        room.state("pi-01", conditions=(found,), ledger=Ledger(frames=1000 + number))
        gone += room.wait(seconds=10)
    for _ in range(7):
        gone += pass_by(room, "pi-01", seconds=10)

    assert gone == ["first to guard", "resolved to guard"]
    assert room.incidents[0].rule == "camera-condition"
    assert texts(room)[0] == f"ALERT Camera picture - north-gate, pi-01, 03:01: {english} #1"
    assert texts(room, "ko")[0] == f"[경보] 카메라 영상 이상 · north-gate pi-01 03:01 {korean} #1"


def test_a_device_that_speaks_and_looks_at_nothing_is_told_of(missing_scene: Make) -> None:
    room = missing_scene()
    gone: list[str] = []
    for number in range(70):
        room.state("pi-01", ledger=Ledger(frames=1000 + min(number, 30)))
        gone += room.wait(seconds=10)

    assert gone == ["first to guard"]
    assert "no picture since 03:05" in texts(room)[0]


def test_nobody_is_missed_while_the_service_cannot_hear(missing_scene: Make) -> None:
    room = missing_scene()
    room.state("pi-01")
    room.listening_since = None

    assert pass_by(room, seconds=3000) == []

    room.listening_since = room.now
    assert pass_by(room, seconds=170) == []
    assert pass_by(room, "pi-01", seconds=300) == []
    assert room.incidents == []


def test_a_restart_neither_ends_an_incident_nor_begins_one(missing_scene: Make) -> None:
    room = missing_scene()
    room.state("pi-01")
    room.state("pi-02")
    pass_by(room, "pi-02", seconds=200)
    room.clock.now += timedelta(hours=1)
    room.listening_since = room.now

    assert pass_by(room, "pi-02", seconds=170) == []
    assert pass_by(room, "pi-02", seconds=20) == ["repeat to guard"]

    assert room.incident.state is StateCollector.OPEN
    assert room.incident.cameras == ("pi-01",)


def test_a_retained_status_that_comes_again_is_no_word(missing_scene: Make) -> None:
    room = missing_scene()
    said = room.now
    room.state("pi-01")
    room.wait(seconds=100)
    room.state("pi-01", at=said)

    assert pass_by(room, seconds=80) == ["first to guard"]
    room.state("pi-01", at=said)
    with reading(room.engine) as connection:
        assert [one.heard_at for one in devices.everyone(connection)] == [said]


def test_a_device_that_comes_and_goes_is_one_incident(missing_scene: Make) -> None:
    room = missing_scene()
    room.state("pi-01")
    gone = pass_by(room, seconds=180)
    for _ in range(10):
        gone += pass_by(room, "pi-01", seconds=40)
        room.state("pi-01", State.OFFLINE)
        gone += pass_by(room, seconds=120)

    assert gone == ["first to guard"]


def test_a_device_that_someone_has_disarmed_is_well_and_says_so(missing_scene: Make) -> None:
    room = missing_scene()
    for number in range(30):
        room.state("pi-01", armed=False, ledger=Ledger(frames=1000 + number))
        assert room.wait(seconds=10) == []

    with reading(room.engine) as connection:
        (known,) = devices.everyone(connection)
    assert known.reason == "disarmed"
    assert room.incidents == []
