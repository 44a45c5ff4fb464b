"""A device in a real Home Assistant: what it shows, what it may do, and what it complains of."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from contract.status import CameraCondition, Condition
from edge import config
from edge.outbox import arming, process_report
from edge.outbox.outbox import Outbox
from testing.mosquitto import Mosquitto
from testing.waiting import wait_until
from tests.edge.outbox.test_outbox import danger, event
from tests.edge.send.integration import device
from tests.edge.send.integration.device import sending, settings
from tests.home_assistant.installation import HomeAssistant, NoPython, environment

pytestmark = [pytest.mark.home_assistant, pytest.mark.timeout(1800)]

MODEL = "wordcam-1@2.4.1"
CALM = "a man stands at the north door"
FIRE = "a fire burns in a kitchen"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with device.server(tmp_path_factory.mktemp("server")) as made:
        yield made


@pytest.fixture(scope="module")
def home(server: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    try:
        environment()
    except NoPython as error:
        pytest.skip(str(error))
    with HomeAssistant(tmp_path_factory.mktemp("home") / "config", server, "home") as made:
        yield made


@pytest.fixture(scope="module")
def edge(server: Mosquitto, home: HomeAssistant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[config.Config]:
    """Run a device that has written a caption of a fire, and whose camera is covered."""
    found = settings(server, tmp_path_factory.mktemp("device"), home_assistant={"arming": True}, status_seconds=1)
    with Outbox(found.outbox.path, 100) as box:
        leave(box)
        with sending(found):
            wait_until(lambda: "lab dev-1 Sentence" in home.states(), "the entities")
            box.append(lambda seq: msgspec.structs.replace(event(seq), text=CALM))
            wait_until(lambda: state(home, "Sentence") == CALM, "a sentence, when it hears the topics")
            box.append(lambda seq: msgspec.structs.replace(danger(seq), text=FIRE))
            yield found


def leave(box: Outbox, *, armed: bool = True) -> None:
    """Write what `look` reports."""
    covered = CameraCondition("cam-0", Condition.COVERED, SINCE)
    report = process_report.Report(model=MODEL, conditions=(covered,), armed=armed)
    process_report.leave(box, process_report.LOOK, report)


def state(home: HomeAssistant, entity: str) -> str:
    found = home.states()[f"lab dev-1 {entity}"]["state"]
    assert isinstance(found, str)
    return found


def attributes(home: HomeAssistant, entity: str) -> dict[str, object]:
    found = home.states()[f"lab dev-1 {entity}"]["attributes"]
    assert isinstance(found, dict)
    return found


def test_it_shows_sentence_dangers_conditions_and_versions(home: HomeAssistant, edge: config.Config) -> None:
    wait_until(lambda: state(home, "Fire") == "on", "the fire")
    wait_until(lambda: state(home, "Camera covered") == "on", "the covered camera")

    assert attributes(home, "Sentence")["stream"] == "cam-0"
    assert [state(home, name) for name in ("Gun", "Camera dark", "Armed")] == ["off", "off", "on"]
    assert attributes(home, "Model")["installed_version"] == "2.4.1"
    assert attributes(home, "Software")["installed_version"]


def test_a_danger_is_an_event(home: HomeAssistant, edge: config.Config) -> None:
    wait_until(lambda: attributes(home, "Danger")["event_type"] == "fire", "the event")

    assert attributes(home, "Danger")["sentence"] == FIRE


def test_its_switch_disarms_and_what_the_pictures_say_is_unknown_then(home: HomeAssistant, edge: config.Config) -> None:
    with Outbox(edge.outbox.path, 100) as box:
        home.call("switch", "turn_off", "lab dev-1 Armed")
        wait_until(lambda: not arming.is_armed(box), "the command")
        leave(box, armed=False)
        wait_until(lambda: state(home, "Armed") == "off", "the switch")

        assert [state(home, name) for name in ("Fire", "Sentence", "Camera covered")] == [
            "unavailable",
            "unavailable",
            "on",
        ]

        home.call("switch", "turn_on", "lab dev-1 Armed")
        wait_until(lambda: arming.is_armed(box), "the command")
        leave(box)
        wait_until(lambda: state(home, "Armed") == "on", "the switch")


def test_a_home_assistant_that_has_restarted_knows_the_device_again(home: HomeAssistant, edge: config.Config) -> None:
    home.stop()
    home.start()

    wait_until(lambda: "lab dev-1 Camera covered" in home.states(), "the device")
    wait_until(lambda: state(home, "Camera covered") == "on", "its status")
    wait_until(lambda: (state(home, "Fire"), state(home, "Sentence")) == ("on", FIRE), "its state")


def test_it_complains_of_nothing(home: HomeAssistant, edge: config.Config) -> None:
    complaints = [line for line in home.log.splitlines() if "components.mqtt" in line and "INFO" not in line]

    assert complaints == []


def test_a_picture_of_it(home: HomeAssistant, edge: config.Config, tmp_path: Path) -> None:
    """Take the device's page; kept where WORDCAM_SCREENSHOTS names a folder."""
    from tests.home_assistant import screenshot  # noqa: PLC0415  # only this test needs a browser

    path = screenshot.take(home, "lab dev-1", tmp_path)

    assert path.stat().st_size > 10_000
