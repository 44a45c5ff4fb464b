"""The AsyncAPI document: it says what the contract says, and keeps AsyncAPI's own schema."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contract import topics
from contract.docs import asyncapi

DOCUMENT = asyncapi.document()

PACKAGE = "@asyncapi/specs@6"
"""Of the npm registry: the JSON Schemas of AsyncAPI."""


def resolved(found: Any) -> Any:
    """Return what a reference within the document points at."""
    while isinstance(found, dict) and "$ref" in found:
        path = found["$ref"].removeprefix("#/").split("/")
        found = DOCUMENT
        for part in path:
            found = found[part]
    return found


def test_every_topic_is_a_channel_with_its_message_and_its_operation() -> None:
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()}
    actions = {name: one["action"] for name, one in DOCUMENT["operations"].items()}

    assert addresses == {topics.topic("x", "y", name).replace("/x/y/", "/{site}/{device}/") for name in topics.CHANNELS}
    assert [name for name, action in actions.items() if action == "send"] == ["send-caption", "send-status"]
    assert DOCUMENT["operations"]["send-status"]["bindings"]["mqtt"]["retain"]
    assert not DOCUMENT["operations"]["send-caption"]["bindings"]["mqtt"]["retain"]


def test_every_reference_leads_somewhere_and_every_example_keeps_its_schema() -> None:
    def check(found: Any) -> None:
        if isinstance(found, dict):
            assert resolved(found)
        for part in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
            check(part)

    check(DOCUMENT)
    for message in DOCUMENT["components"]["messages"].values():
        for example in message["examples"]:
            jsonschema.validate(
                json.loads(json.dumps(example["payload"])), {**DOCUMENT, "$ref": message["payload"]["$ref"]}
            )


@pytest.mark.install
def test_it_keeps_the_schema_that_asyncapi_publishes(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not here")
    subprocess.run([npm, "install", "--silent", "--prefix", str(tmp_path), PACKAGE], check=True)
    published = tmp_path / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0-without-$id.json"

    jsonschema.validate(json.loads(asyncapi.text()), json.loads(published.read_text("utf-8")))
