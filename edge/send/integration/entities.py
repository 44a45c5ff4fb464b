"""Home Assistant's MQTT device discovery: one retained message that describes this device and its entities.

The status with its last will is the availability. State, events and the arm switch have topics of their own below the
discovery prefix: captions arrive out of order, dangers first, and are gone when Home Assistant restarts. Keys are those
of Home Assistant's MQTT integration (home-assistant.io/integrations/mqtt).
"""

from typing import Any, Final

import msgspec

from contract import topics
from contract.status import Condition
from edge import config

ARM: Final = "ON"
DISARM: Final = "OFF"
"""What its switch sends."""

_SENTENCE: Final = "{{ value_json.caption.text[:255] }}"

_CAPTION: Final = "{{ value_json.caption | tojson }}"

_DANGER: Final = "{{{{ 'ON' if '{danger}' in value_json.dangers else 'OFF' }}}}"

_CONDITION: Final = (
    "{{{{ 'ON' if value_json.conditions | default([]) | selectattr('condition', 'eq', '{condition}') | list"
    " else 'OFF' }}}}"
)

_AVAILABILITY: Final = "{{ value_json.state }}"

_WATCHES: Final = "{{ 'offline' if value_json.armed is defined and not value_json.armed else value_json.state }}"
"""What the pictures say is unknown while nobody looks at them."""

_ARMED: Final = "{{ 'OFF' if value_json.armed is defined and not value_json.armed else 'ON' }}"

_SOFTWARE: Final = "{{ {'installed_version': value_json.version} | tojson if value_json.version else '' }}"

_MODEL: Final = (
    "{% set update = value_json['update'] | default({}) %}{% set runs = value_json.model.split('@') %}"
    "{% set offered = (update.target | default('-', true)).removesuffix('.tar').split('-')[-1] %}"
    "{% set is_taken = update.progress in ('waiting', 'downloading', 'testing') %}"
    "{% set latest = {'latest_version': offered if is_taken else runs[-1],"
    " 'in_progress': update.progress in ('downloading', 'testing')} if update.progress is defined else {} %}"
    "{{ dict({'title': runs[0], 'installed_version': runs[-1]}, **latest) | tojson if value_json.model else '' }}"
)
"""The software names no latest version, and the model only where updates are configured: a device does not know what it
was not offered."""


def topic(settings: config.HomeAssistant, site: str, device: str) -> str:
    """Spell the topic of a device's description; with the names of the device as levels, for the access list."""
    return f"{settings.discovery_prefix}/device/{site}/{device}/config"


def state_topic(settings: config.HomeAssistant, site: str, device: str) -> str:
    """Spell the topic on which the newest caption and the dangers that go on are kept."""
    return f"{settings.discovery_prefix}/wordcam/{site}/{device}/state"


def event_topic(settings: config.HomeAssistant, site: str, device: str) -> str:
    """Spell the topic on which a danger that begins is an event."""
    return f"{settings.discovery_prefix}/wordcam/{site}/{device}/event"


def arm_topic(settings: config.HomeAssistant, site: str, device: str) -> str:
    """Spell the topic on which Home Assistant arms and disarms the device."""
    return f"{settings.discovery_prefix}/wordcam/{site}/{device}/arm"


def status_topic(settings: config.HomeAssistant) -> str:
    """Spell the topic on which Home Assistant says that it has started."""
    return f"{settings.discovery_prefix}/status"


def describe(settings: config.HomeAssistant, *, site: str, device: str, version: str) -> bytes:
    """Write the description as JSON."""
    identity = _identity(site, device)
    status = topics.topic(site, device, "status")
    components = {
        key: {"unique_id": f"{identity}_{key}", "default_entity_id": f"{body['platform']}.{identity}_{key}", **body}
        for key, body in _components(settings, site, device).items()
    }
    description = {
        "device": {
            "identifiers": [identity],
            "name": f"{site} {device}",
            "manufacturer": "wordcam",
            "sw_version": version,
        },
        "origin": {"name": "wordcam", "sw_version": version},
        "availability": [{"topic": status, "value_template": _AVAILABILITY}],
        "qos": 1,
        "components": components,
    }
    return msgspec.json.encode(description)


def _components(settings: config.HomeAssistant, site: str, device: str) -> dict[str, dict[str, Any]]:
    """Return the entities by the last part of their ids."""
    status = topics.topic(site, device, "status")
    arming = {"armed": _switch(status, arm_topic(settings, site, device))} if settings.arming else {}
    return {
        **_from_pictures(settings, state_topic(settings, site, device), status),
        "danger": {
            "platform": "event",
            "name": "Danger",
            "icon": "mdi:alarm-light",
            "state_topic": event_topic(settings, site, device),
            "event_types": list(settings.dangers),
        },
        **{f"camera_{condition.value}": _condition(condition, status) for condition in Condition},
        "software": _update("Software", "firmware", status, _SOFTWARE),
        "model": _update("Model", None, status, _MODEL),
        **arming,
    }


def _from_pictures(settings: config.HomeAssistant, state: str, status: str) -> dict[str, dict[str, Any]]:
    """Return the last sentence and the dangers: unavailable also while the device is disarmed."""
    watches = [{"topic": status, "value_template": _WATCHES}]
    sentence = {
        "platform": "sensor",
        "name": "Sentence",
        "icon": "mdi:cctv",
        "state_topic": state,
        "value_template": _SENTENCE,
        "json_attributes_topic": state,
        "json_attributes_template": _CAPTION,
        "availability": watches,
    }
    dangers = {
        f"danger_{danger.replace('-', '_')}": {
            "platform": "binary_sensor",
            "name": danger.capitalize(),
            "device_class": "safety",
            "state_topic": state,
            "value_template": _DANGER.format(danger=danger),
            "availability": watches,
        }
        for danger in settings.dangers
    }
    return {"sentence": sentence, **dangers}


def _condition(condition: Condition, status: str) -> dict[str, Any]:
    return {
        "platform": "binary_sensor",
        "name": f"Camera {condition.value}",
        "device_class": "problem",
        "entity_category": "diagnostic",
        "state_topic": status,
        "value_template": _CONDITION.format(condition=condition.value),
    }


def _update(name: str, device_class: str | None, status: str, template: str) -> dict[str, Any]:
    found = {
        "platform": "update",
        "name": name,
        "entity_category": "diagnostic",
        "state_topic": status,
        "value_template": template,
    }
    return found if device_class is None else {**found, "device_class": device_class}


def _switch(status: str, command: str) -> dict[str, Any]:
    return {
        "platform": "switch",
        "name": "Armed",
        "icon": "mdi:shield",
        "command_topic": command,
        "payload_on": ARM,
        "payload_off": DISARM,
        "state_topic": status,
        "value_template": _ARMED,
    }


def _identity(site: str, device: str) -> str:
    """Return the device's id, of letters, digits and underscores; two hyphenated names never make the same."""
    return "_".join(("wordcam", *(name.replace("-", "_") for name in (site, "", device))))
