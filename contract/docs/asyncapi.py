"""The protocol as an AsyncAPI 3 document (asyncapi.com/docs/reference/specification/v3.0.0), as a device speaks it."""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from contract import examples, release, topics
from contract.docs import fields, schemas
from contract.docs.source import text_under
from contract.topics import Channel

SPECIFICATION: Final = "3.0.0"

MQTT_BINDING: Final = "0.2.0"

_REFERENCE: Final = "#/components/schemas/{name}"

_EXAMPLES: Final[dict[Channel, Sequence[msgspec.Struct]]] = {
    "caption": (examples.CAPTION_WITH_EVIDENCE,),
    "status": (examples.KNOWS_ITS_CALM, examples.LAST_WILL),
    "ack": (examples.ACK,),
    "thresholds": (examples.THRESHOLDS,),
    "update": (examples.OFFER,),
}

_CHANNEL: Final = re.compile(r"(?P<channel>\w+): (?P<way>[^,.]+), QoS (?P<qos>[012]), (?P<rest>[^.]+)\.")


def text() -> str:
    """Write the document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode() + "\n"


def document() -> dict[str, Any]:
    """Return the document."""
    kinds = [schemas.KINDS[channel] for channel in topics.CHANNELS]
    name = {"description": "1 to 63 of a-z, 0-9 and inner hyphens"}
    return {
        "asyncapi": SPECIFICATION,
        "info": {
            "title": "wordcam device",
            "version": str(release.PROTOCOL),
            "description": "What a device sends over MQTT 5 and what it is sent. protocol.md says more.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {channel: _channel(channel) for channel in topics.CHANNELS},
        "operations": {f"{_action(channel)}-{channel}": _operation(channel) for channel in topics.CHANNELS},
        "components": {
            "parameters": dict.fromkeys(("site", "device"), name),
            "messages": {channel: _message(channel) for channel in topics.CHANNELS},
            "schemas": _schemas(kinds),
        },
    }


def _channel(channel: Channel) -> dict[str, Any]:
    return {
        "address": f"{topics.ROOT}/{{site}}/{{device}}/{channel}",
        "messages": {channel: {"$ref": f"#/components/messages/{channel}"}},
        "parameters": {part: {"$ref": f"#/components/parameters/{part}"} for part in ("site", "device")},
    }


def _operation(channel: Channel) -> dict[str, Any]:
    said = _said(channel)
    binding: dict[str, Any] = {"qos": int(said["qos"]), "bindingVersion": MQTT_BINDING}
    if _action(channel) == "send":
        binding["retain"] = not said["rest"].startswith("never")
    return {
        "action": _action(channel),
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{channel}"}],
        "summary": f"{said['way'].capitalize()}: {said['rest']}.",
        "bindings": {"mqtt": binding},
    }


def _message(channel: Channel) -> dict[str, Any]:
    kind = schemas.KINDS[channel]
    return {
        "name": channel,
        "title": kind.__name__,
        "summary": (kind.__doc__ or "").strip().partition("\n")[0],
        "contentType": "application/json",
        "payload": {"$ref": _REFERENCE.format(name=kind.__name__)},
        "examples": [{"payload": msgspec.to_builtins(example)} for example in _EXAMPLES[channel]],
    }


def _schemas(kinds: Sequence[fields.Kind]) -> dict[str, Any]:
    """Return the schemas of all messages and of what they hold, with the fields' meaning in them."""
    _, found = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    for part in {part for kind in kinds for part in fields.structs(kind)}:
        for name, meaning in fields.meanings(part).items():
            found[part.__name__]["properties"][name]["description"] = meaning
    return {name: found[name] for name in sorted(found)}


def _action(channel: Channel) -> str:
    """Return what the device does on a channel."""
    return "send" if _said(channel)["way"].startswith("device") else "receive"


def _said(channel: Channel) -> dict[str, str]:
    """Return the way, the QoS and the rest of what `CHANNELS` says of a channel."""
    found = {one["channel"]: one.groupdict() for one in _CHANNEL.finditer(text_under(topics, "CHANNELS"))}
    return found[channel]
