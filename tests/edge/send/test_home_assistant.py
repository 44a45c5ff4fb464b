"""Home Assistant's discovery: what the description says, and what its templates make of the device's own messages."""

import json
from typing import Any

import jinja2
import msgspec
import pytest

from contract import caption, examples, status
from contract.caption import Hazard
from edge import config
from edge.send import home_assistant

SETTINGS = config.HomeAssistant(dangers=("gun", "fire"))
DESCRIPTION: dict[str, Any] = json.loads(
    home_assistant.describe(SETTINGS, site=examples.SITE, device=examples.DEVICE, version="0.2.0")
)


def state(entity: str, message: bytes) -> str:
    """Return what an entity's template makes of a message, as Home Assistant renders it."""
    template = DESCRIPTION["components"][entity]["value_template"]
    return jinja2.Environment(autoescape=False).from_string(template).render(value_json=json.loads(message))  # no page


def test_every_entity_has_an_id_of_its_own_a_platform_and_a_topic_of_this_device() -> None:
    components = DESCRIPTION["components"].values()

    assert len({one["unique_id"] for one in components}) == len(components) == 9
    assert {one["platform"] for one in components} == {"sensor", "binary_sensor"}
    assert {one["state_topic"] for one in components} == {
        f"wordcam/v1/{examples.SITE}/{examples.DEVICE}/{channel}" for channel in ("caption", "status")
    }
    gun = DESCRIPTION["components"]["danger_gun"]
    assert gun["default_entity_id"] == "binary_sensor.wordcam_north_gate__pi_01_danger_gun"
    assert DESCRIPTION["origin"]["name"] == "wordcam"


def test_names_with_hyphens_elsewhere_are_other_devices() -> None:
    assert home_assistant.topic(SETTINGS, "a-b", "c") != home_assistant.topic(SETTINGS, "a", "b-c")


def test_the_sentence_is_the_captions_text() -> None:
    assert state("sentence", caption.encode(examples.CAPTION)) == examples.CAPTION.text


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
    message = caption.encode(msgspec.structs.replace(examples.CAPTION, hazards=hazards))

    assert (state("danger_gun", message), state("danger_fire", message)) == (gun, "OFF")


def test_a_camera_condition_is_a_problem_while_the_status_names_it() -> None:
    covered, well = status.encode(examples.IS_COVERED), status.encode(examples.ONLINE)

    assert (state("camera_covered", covered), state("camera_dark", covered)) == ("ON", "OFF")
    assert state("camera_covered", well) == "OFF"


@pytest.mark.parametrize("said", [examples.ONLINE, examples.LAST_WILL])
def test_the_status_and_the_last_will_are_the_availability(said: status.Status) -> None:
    template = DESCRIPTION["availability"][0]["value_template"]

    rendered = (
        jinja2.Environment(autoescape=False)
        .from_string(template)
        .render(  # no page
            value_json=json.loads(status.encode(said))
        )
    )

    assert rendered == said.state.value
