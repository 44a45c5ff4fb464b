"""The JSON Schemas (draft 2020-12) of every message and of the manifest, with the fields' meaning in them."""

from typing import Any, Final

import msgspec

from contract.ack import Ack
from contract.bundle import Manifest
from contract.caption import Caption
from contract.docs import fields
from contract.status import Status
from contract.thresholds import Thresholds
from contract.update import Offer

KINDS: Final[dict[str, fields.Kind]] = {
    "caption": Caption,
    "status": Status,
    "ack": Ack,
    "thresholds": Thresholds,
    "update": Offer,
    "bundle": Manifest,
}
"""What has a schema, by the name of its file."""


def schema(kind: fields.Kind) -> dict[str, Any]:
    """Return the schema of a struct; each property carries the text under its field as its description."""
    found = msgspec.json.schema(kind)
    for part in fields.structs(kind):
        definition = found["$defs"][part.__name__]
        definition["description"] = " ".join(definition["description"].split())
        for name, meaning in fields.meanings(part).items():
            definition["properties"][name]["description"] = meaning
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def text(kind: fields.Kind) -> str:
    """Return the schema as an indented JSON file."""
    return msgspec.json.format(msgspec.json.encode(schema(kind)), indent=2).decode() + "\n"
