"""An incident that no caption tells of, on the pages, in the API and in the terminal."""

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
from broker.store.engine import open_database, writing
from contract.status import Clock, Fallback, Part, State
from testing.waiting import PATIENCE_SECONDS
from tests.broker.device import status
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
        works = {"fallbacks": (damaged,), "clock": Clock.STEPPED_BACK}
        devices.record(connection, status(site="depot", device="pi-09", since=now, at=now, **works), heard_at=now)
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


def test_the_api_says_it_too(address: str, config: Config) -> None:
    headers = {"authorization": f"Bearer {make_token(config, 'mina')}"}

    found = httpx.get(f"{address}/api/v1/devices", headers=headers, timeout=PATIENCE_SECONDS).json()

    (one,) = (device for device in found if device["device"] == "pi-09")
    assert (one["fallbacks"][0]["part"], one["clock"]) == ("bundle", "stepped_back")
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
