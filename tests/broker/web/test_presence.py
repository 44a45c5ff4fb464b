"""An incident that no caption tells of, on the pages, in the API and in the terminal."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from broker.cli import main
from broker.config.broker import Config
from broker.config.sites import Places
from broker.incidents.grouping import Grouper
from broker.incidents.presence import devices
from broker.incidents.presence.tracker import PresenceTracker
from broker.store import captions
from broker.store.engine import open_database, writing
from contract.status import CameraCondition, CameraState, Clock, Condition, Exposure, Fallback, Part, State
from contract.system import System, SystemProgress, SystemReason
from testing.waiting import PATIENCE_SECONDS
from tests.broker.device import event, status
from tests.broker.web import sample
from tests.broker.web.serving import Browser, serving
from tests.broker.web.test_api import make_token

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The sample's site, and two devices of a depot that were cut off."""
    made = sample.fill(sample.config(tmp_path_factory.mktemp("absence")), hours=1)
    assert made.presence is not None
    now = datetime.now(UTC)
    engine = open_database(made.database)
    with writing(engine) as connection:
        for name in ("pi-07", "pi-08"):
            birth = status(site="depot", device=name, since=now - HOUR, at=now - HOUR)
            will = status(site="depot", device=name, since=now - HOUR, at=None, state=State.OFFLINE)
            devices.record(connection, birth, heard_at=now - HOUR)
            devices.record(connection, will, heard_at=now - HOUR / 2)
        damaged = Fallback(Part.BUNDLE, "encoder.tflite: SHA-256 is 0123", now)
        system = System(
            version="0.2.0+202611290000.aaaaaaaa",
            progress=SystemProgress.ROLLED_BACK,
            offered="0.2.1+202612240000.bbbbbbbb",
            reason=SystemReason.NO_SERVER,
            at=now,
        )
        works = {"fallbacks": (damaged,), "clock": Clock.STEPPED_BACK, "system": system}
        devices.record(connection, status(site="depot", device="pi-09", since=now, at=now, **works), heard_at=now)
        several = {
            "cameras": (CameraState("door", 900, 12), CameraState("yard", 0, 0, "camera gone: /dev/video1")),
            "conditions": (CameraCondition("door", Condition.DEFOCUSED, now),),
            "exposed": (Exposure.NETWORK, Exposure.ROOT),
            "evidence": True,
        }
        devices.record(connection, status(site="depot", device="pi-11", since=now, at=now, **several), heard_at=now)
        said = (
            event("a man at the door", site="depot", device="pi-11", stream="door", captured_at=now, id="door-0001"),
        )
        assert captions.add(connection, said, received_at=now) == 1
        will = status(site="depot", device="pi-10", since=now, at=None, state=State.OFFLINE)
        devices.record(connection, will, heard_at=now)
    grouper = Grouper(made.recipients, made.incidents, Places.of(made))
    told = PresenceTracker(grouper, made.presence, lambda: now - HOUR).check(engine, now=now, require=lambda _: None)
    engine.dispose()
    assert [one.site for one in told] == ["depot", "harbour"]
    return made


@pytest.fixture(scope="module")
def address(config: Config) -> Iterator[str]:
    with serving(config) as found:
        yield found


def test_the_pages_name_every_missed_device_and_since_when(guard: Browser) -> None:
    whole = guard.http.get("/incidents/5").text

    assert "Device silent · depot" in whole
    assert "devices: 2" in whole
    for name in ("pi-07", "pi-08"):
        assert f"<b>{name}</b> is offline" in whole
    for path in ("/", "/incidents"):
        assert "<b>pi-07</b> is offline" in guard.http.get(path).text


def test_the_pages_say_it_in_korean(guard: Browser) -> None:
    guard.send("/language", {"value": "ko", "back": "/"})
    whole = guard.http.get("/incidents/5").text
    guard.send("/language", {"value": "en", "back": "/"})

    assert "장치 무응답" in whole
    assert "<b>pi-07</b> 오프라인" in whole
    assert "이후 응답 없음" in whole


def test_what_a_device_does_not_use_and_its_clock_are_shown_in_both_languages(guard: Browser) -> None:
    english = guard.http.get("/devices").text
    guard.send("/language", {"value": "ko", "back": "/"})
    korean = guard.http.get("/devices").text
    guard.send("/language", {"value": "en", "back": "/"})

    assert "Works with the last good model: encoder.tflite: SHA-256 is 0123" in english
    assert "clock was set back" in english
    assert "마지막 정상 모델 사용 중: encoder.tflite: SHA-256 is 0123" in korean
    assert "장치 시계가 과거로 되돌아갔습니다." in korean


def in_both(guard: Browser, path: str) -> tuple[str, str]:
    """Return a page in English and in Korean."""
    english = guard.http.get(path).text
    guard.send("/language", {"value": "ko", "back": "/"})
    korean = guard.http.get(path).text
    guard.send("/language", {"value": "en", "back": "/"})
    return english, korean


def test_of_several_cameras_each_has_its_state_its_last_sentence_and_its_rate(guard: Browser) -> None:
    english, korean = in_both(guard, "/devices/depot/pi-11")

    door, yard = english.partition("<h2>Cameras</h2>")[2].split("<li>")[1:3]
    assert "Blurred" in door
    assert "a man at the door" in door
    assert "captions in the last hour: 1; since it started: 12 of 900 frames" in door
    assert "camera gone: /dev/video1" in yard
    assert "no caption yet" in yard
    assert "captions in the last hour: 0" in yard
    assert "초점 흐림" in korean
    assert "최근 한 시간 문장 1개, 시작 이후 900프레임 중 12개" in korean
    assert "door: Blurred · yard: camera gone: /dev/video1" in guard.http.get("/devices").text


def test_a_device_with_one_camera_has_no_list_of_cameras(guard: Browser) -> None:
    assert "<h2>Cameras</h2>" not in guard.http.get("/devices/depot/pi-09").text


@pytest.mark.parametrize("path", ["/devices", "/devices/depot/pi-11"])
def test_a_device_whose_isolation_does_not_hold_is_a_warning_in_both_languages(guard: Browser, path: str) -> None:
    english, korean = in_both(guard, path)

    assert english.count("Less private than it should be") == 2
    assert "could not be cut off from the network" in english
    assert "run as root" in english
    assert "Keeps sealed pictures of alarms." in english
    assert korean.count("개인정보 보호 약화") == 2
    assert "네트워크에서 분리하지 못했으며" in korean
    assert "봉인해 보관합니다" in korean


def test_a_device_whose_isolation_holds_has_no_such_warning(guard: Browser) -> None:
    assert "Less private" not in guard.http.get("/devices/depot/pi-09").text


def test_a_last_will_leaves_what_is_known_of_cameras_and_isolation(config: Config) -> None:
    engine = open_database(config.database)
    since = datetime.now(UTC)
    with writing(engine) as connection:
        exposed = status(site="shed", since=since, at=since, exposed=(Exposure.ROOT,), evidence=True)
        devices.record(connection, exposed, heard_at=since)
        will = status(site="shed", since=since, at=None, state=State.OFFLINE)
        devices.record(connection, will, heard_at=since)
        (gone,) = (one for one in devices.everyone(connection) if one.site == "shed")
        back = status(site="shed", since=since + HOUR, at=since + HOUR)
        devices.record(connection, back, heard_at=since + HOUR)
        (mended,) = (one for one in devices.everyone(connection) if one.site == "shed")
    engine.dispose()

    assert (gone.state, gone.exposed, gone.evidence) == (State.OFFLINE, (Exposure.ROOT,), True)
    assert (mended.state, mended.exposed, mended.evidence) == (State.ONLINE, None, None)


def test_the_terminal_lists_devices_with_their_cameras_and_warnings(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert config.database.path is not None
    path = str(config.database.path.parent / "broker.yaml")

    assert main.main(["devices", "--config", path]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("depot/pi-11: online"))
    assert lines[at + 1].startswith("  WARNING: the process that sees keeps its network")
    assert lines[at + 2].startswith("  WARNING: its processes run as root")
    assert lines[at + 3 : at + 6] == [
        "  keeps sealed pictures of alarms, on the device alone",
        "  door: defocused; 12 captions of 900 frames",
        "  yard: camera gone: /dev/video1; 0 captions of 0 frames",
    ]

    assert main.main(["devices", "--config", path, "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (one,) = (device for device in found if device["device"] == "pi-11")
    assert (one["health"], one["exposed"], one["cameras"][0]["stream"]) == ("online", ["network", "root"], "door")


def test_which_system_a_device_runs_and_why_an_update_was_taken_back_is_shown(guard: Browser) -> None:
    english, korean = in_both(guard, "/devices/depot/pi-09")

    for whole in (english, korean):
        assert "0.2.0+202611290000.aaaaaaaa" in whole
        assert "0.2.1+202612240000.bbbbbbbb" in whole
    assert "The new system came up and did not reach the server in time." in english
    assert "새 시스템이 시작했지만 제한 시간 안에 서버에 연결하지 못했습니다." in korean


def test_the_api_says_it_too(address: str, config: Config) -> None:
    headers = {"authorization": f"Bearer {make_token(config, 'mina')}"}

    found = httpx.get(f"{address}/api/v1/devices", headers=headers, timeout=PATIENCE_SECONDS).json()

    (one,) = (device for device in found if device["device"] == "pi-09")
    assert (one["fallbacks"][0]["part"], one["clock"]) == ("bundle", "stepped_back")
    (several,) = (device for device in found if device["device"] == "pi-11")
    assert (several["exposed"], several["evidence"]) == (["network", "root"], True)
    assert [camera["stream"] for camera in several["cameras"]] == ["door", "yard"]
    assert several["conditions"][0]["condition"] == "defocused"
    assert (one["exposed"], one["cameras"], one["evidence"]) == ([], [], False)
    (other,) = (device for device in found if device["device"] == "pi-10")
    assert (other["fallbacks"], other["clock"]) == ([], None)


def test_a_supervisor_silences_one_device(supervisor: Browser) -> None:
    whole = supervisor.http.get("/incidents/5").text

    assert 'value="site=depot device=pi-08 danger=device-lost"' in whole


def test_the_api_gives_it_without_a_caption(address: str, config: Config) -> None:
    headers = {"authorization": f"Bearer {make_token(config, 'mina')}"}

    found = httpx.get(f"{address}/api/v1/incidents/5", headers=headers, timeout=PATIENCE_SECONDS).json()["incident"]

    assert (found["danger"], found["caption"]) == ("device-lost", None)
    assert [(one["device"], one["cause"]) for one in found["lost"]] == [("pi-07", "gone"), ("pi-08", "gone")]


def test_the_terminal_names_them_too(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    assert config.database.path is not None
    path = str(config.database.path.parent / "broker.yaml")

    assert main.main(["incidents", "--config", path]) == 0

    line = next(line for line in capsys.readouterr().out.splitlines() if "depot" in line)
    assert "warning device-lost at depot (pi-07: no message since " in line
