"""Home Assistant's discovery: what the description says, and what its templates make of the device's own messages."""

import json
from typing import Any

import jinja2
import msgspec
import pytest

from contract import examples, status
from contract.caption import Caption, Hazard
from contract.update import Progress, Update
from edge import config
from edge.send.integration import entities
from edge.send.integration.home_assistant import HomeAssistant

SETTINGS = config.HomeAssistant(dangers=("gun", "fire"), arming=True)
DESCRIPTION: dict[str, Any] = json.loads(
    entities.describe(SETTINGS, site=examples.SITE, device=examples.DEVICE, version="0.2.0")
)


def render(template: str, message: bytes) -> str:
    """Return what a template makes of a message, as Home Assistant renders it."""
    environment = jinja2.Environment(autoescape=False)  # no page
    return environment.from_string(template).render(value_json=json.loads(message))


def state(entity: str, message: bytes) -> str:
    return render(DESCRIPTION["components"][entity]["value_template"], message)


def availability(entity: str, message: bytes) -> str:
    (said,) = DESCRIPTION["components"][entity]["availability"]
    return render(said["value_template"], message)


def test_every_entity_has_an_id_of_its_own_a_platform_and_a_topic_of_this_device() -> None:
    components = DESCRIPTION["components"].values()

    assert len({one["unique_id"] for one in components}) == len(components) == 13
    assert {one["platform"] for one in components} == {"sensor", "binary_sensor", "event", "update", "switch"}
    assert {one["state_topic"] for one in components} == {
        f"wordcam/v1/{examples.SITE}/{examples.DEVICE}/status",
        f"homeassistant/wordcam/{examples.SITE}/{examples.DEVICE}/state",
        f"homeassistant/wordcam/{examples.SITE}/{examples.DEVICE}/event",
    }
    gun = DESCRIPTION["components"]["danger_gun"]
    assert gun["default_entity_id"] == "binary_sensor.wordcam_north_gate__pi_01_danger_gun"
    assert DESCRIPTION["origin"]["name"] == "wordcam"


def test_names_with_hyphens_elsewhere_are_other_devices() -> None:
    assert entities.topic(SETTINGS, "a-b", "c") != entities.topic(SETTINGS, "a", "b-c")


def said(*events: Caption) -> bytes:
    """Return the state after captions."""
    kept = HomeAssistant(
        SETTINGS,
        site=examples.SITE,
        device=examples.DEVICE,
        version="0.2.0",
        memory={},
        keep=lambda _: None,
        arm=lambda _: None,
    )
    messages = [message for event in events for message in kept.on_caption(event) if message.retain]
    return messages[-1].payload


def test_the_sentence_is_the_newest_captions_with_all_of_it_as_attributes() -> None:
    older = msgspec.structs.replace(examples.CAPTION, seq=examples.CAPTION.seq - 1, text="a man stands")
    message = said(examples.CAPTION, older)

    assert state("sentence", message) == examples.CAPTION.text
    attributes = json.loads(render(DESCRIPTION["components"]["sentence"]["json_attributes_template"], message))
    assert attributes["id"] == examples.CAPTION.id


@pytest.mark.parametrize(
    ("hazards", "gun"),
    [
        (examples.CAPTION_WITH_EVIDENCE.hazards, "ON"),
        ((Hazard("gun", 0.4, 0.7),), "OFF"),
        ((Hazard("gun", 0.9),), "ON"),
        ((Hazard("gun", 0.2),), "OFF"),
        ((), "OFF"),
    ],
    ids=["stands", "in doubt", "without evidence", "without evidence, improbable", "none"],
)
def test_a_danger_is_on_while_it_stands(hazards: tuple[Hazard, ...], gun: str) -> None:
    message = said(msgspec.structs.replace(examples.CAPTION, hazards=hazards))

    assert (state("danger_gun", message), state("danger_fire", message)) == (gun, "OFF")


def test_older_captions_that_arrive_after_a_danger_do_not_end_it() -> None:
    older = msgspec.structs.replace(examples.CAPTION, seq=examples.CAPTION.seq - 1, hazards=())

    assert state("danger_gun", said(examples.CAPTION_WITH_EVIDENCE, older)) == "ON"


def test_a_camera_condition_is_a_problem_while_the_status_names_it() -> None:
    covered, well = status.encode(examples.IS_COVERED), status.encode(examples.ONLINE)

    assert (state("camera_covered", covered), state("camera_dark", covered)) == ("ON", "OFF")
    assert state("camera_covered", well) == "OFF"


def test_the_switch_is_off_and_what_the_pictures_say_unavailable_while_the_device_is_disarmed() -> None:
    disarmed = status.encode(msgspec.structs.replace(examples.ONLINE, armed=False))
    watches = status.encode(examples.ONLINE)

    assert [state("armed", message) for message in (watches, disarmed)] == ["ON", "OFF"]
    assert [availability("danger_gun", message) for message in (watches, disarmed)] == ["online", "offline"]
    assert availability("danger_gun", status.encode(examples.LAST_WILL)) == "offline"


def test_there_is_no_switch_unless_arming_is_allowed() -> None:
    without = json.loads(entities.describe(config.HomeAssistant(), site="a", device="b", version="1"))

    assert "armed" not in without["components"]


def test_without_updates_the_versions_claim_no_latest_one() -> None:
    message = status.encode(examples.ONLINE)

    assert json.loads(state("software", message)) == {"installed_version": "0.1.0"}
    assert json.loads(state("model", message)) == {"installed_version": "1.0.0", "title": "wordcam-1"}
    assert state("software", status.encode(examples.LAST_WILL)) == ""


@pytest.mark.parametrize(
    ("progress", "latest", "in_progress"),
    [(Progress.DOWNLOADING, "1.1.0", True), (Progress.WAITING, "1.1.0", False), (Progress.REFUSED, "1.0.0", False)],
)
def test_the_model_names_the_version_that_is_offered(progress: Progress, latest: str, in_progress: bool) -> None:
    update = Update(progress=progress, target="standard/wordcam-1-1.1.0.tar")
    found = json.loads(state("model", status.encode(msgspec.structs.replace(examples.ONLINE, update=update))))

    assert (found["installed_version"], found["latest_version"]) == ("1.0.0", latest)
    assert found["in_progress"] == in_progress


@pytest.mark.parametrize("said", [examples.ONLINE, examples.LAST_WILL])
def test_the_status_and_the_last_will_are_the_availability(said: status.Status) -> None:
    assert render(DESCRIPTION["availability"][0]["value_template"], status.encode(said)) == said.state.value
