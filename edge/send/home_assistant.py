"""Home Assistant's MQTT device discovery: one retained message that describes this device and its entities.

The entities read the topics that the device publishes anyway, so that nothing else is sent: the status with its last
will is the availability. Keys are those of Home Assistant's MQTT integration (home-assistant.io/integrations/mqtt).
"""

from typing import Any, Final

import msgspec

from contract import topics
from contract.status import Condition
from edge import config

ONLINE: Final = b"online"
"""What Home Assistant says on its own status topic when it has started, and wants the descriptions again."""

_CAPTION_TEXT: Final = "{{ value_json.text[:255] }}"

_DANGER: Final = (
    "{{% set found = value_json.hazards | selectattr('term', 'eq', '{danger}') | list %}}"
    "{{{{ 'ON' if found and (found[0].since is defined"
    " or (found[0].evidence is not defined and found[0].probability >= 0.5)) else 'OFF' }}}}"
)
"""A danger is there since a moment; a bundle that weighs no evidence names its probability alone."""

_CONDITION: Final = (
    "{{{{ 'ON' if value_json.conditions | default([]) | selectattr('condition', 'eq', '{condition}') | list"
    " else 'OFF' }}}}"
)


def topic(settings: config.HomeAssistant, site: str, device: str) -> str:
    """Spell the topic of a device's description."""
    return f"{settings.discovery_prefix}/device/{_identity(site, device)}/config"


def status_topic(settings: config.HomeAssistant) -> str:
    """Spell the topic on which Home Assistant says that it has started."""
    return f"{settings.discovery_prefix}/status"


def describe(settings: config.HomeAssistant, *, site: str, device: str, version: str) -> bytes:
    """Write the description as JSON."""
    identity = _identity(site, device)
    status = topics.topic(site, device, "status")
    components = {
        key: {"unique_id": f"{identity}_{key}", "default_entity_id": f"{body['platform']}.{identity}_{key}", **body}
        for key, body in _components(settings, topics.topic(site, device, "caption"), status).items()
    }
    description = {
        "device": {
            "identifiers": [identity],
            "name": f"{site} {device}",
            "manufacturer": "wordcam",
            "sw_version": version,
        },
        "origin": {"name": "wordcam", "sw_version": version},
        "availability": [{"topic": status, "value_template": "{{ value_json.state }}"}],
        "qos": 1,
        "components": components,
    }
    return msgspec.json.encode(description)


def _components(settings: config.HomeAssistant, caption: str, status: str) -> dict[str, dict[str, Any]]:
    """Return the entities by the last part of their ids: the sentence, the dangers and the camera conditions."""
    found: dict[str, dict[str, Any]] = {
        "sentence": {
            "platform": "sensor",
            "name": "Sentence",
            "icon": "mdi:cctv",
            "state_topic": caption,
            "value_template": _CAPTION_TEXT,
            "json_attributes_topic": caption,
        }
    }
    for danger in settings.dangers:
        found[f"danger_{danger.replace('-', '_')}"] = {
            "platform": "binary_sensor",
            "name": danger.capitalize(),
            "device_class": "safety",
            "state_topic": caption,
            "value_template": _DANGER.format(danger=danger),
        }
    for condition in Condition:
        found[f"camera_{condition.value}"] = {
            "platform": "binary_sensor",
            "name": f"Camera {condition.value}",
            "device_class": "problem",
            "entity_category": "diagnostic",
            "state_topic": status,
            "value_template": _CONDITION.format(condition=condition.value),
        }
    return found


def _identity(site: str, device: str) -> str:
    """Return the device's id, of letters, digits and underscores; two hyphenated names never make the same."""
    return "_".join(("wordcam", *(name.replace("-", "_") for name in (site, "", device))))
