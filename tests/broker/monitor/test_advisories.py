"""Advisories in the OSV format: which versions they cover, and which machines the verb names."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from broker.cli import main
from broker.config import broker as config_file
from broker.config.errors import Misconfigured
from broker.incidents.presence import devices
from broker.monitor import advisories
from broker.monitor.advisories import Affected, Package, Range
from broker.store import migrate
from broker.store.engine import open_database, writing
from contract import release
from tests.broker.device import status
from tests.broker.running_service import write_config


def advisory(number: str, name: str, *events: dict[str, str], **more: Any) -> dict[str, Any]:
    part = {"package": {"ecosystem": "PyPI", "name": name}, "ranges": [{"type": "ECOSYSTEM", "events": list(events)}]}
    return {
        "schema_version": "1.6.0",
        "id": number,
        "modified": "2026-11-29T00:00:00Z",
        "summary": "a crafted caption ends the program",
        "affected": [part],
        **more,
    }


@pytest.mark.parametrize(
    ("version", "events", "covers"),
    [
        ("0.2.0", [{"introduced": "0"}, {"fixed": "0.2.1"}], True),
        ("0.2.1", [{"introduced": "0"}, {"fixed": "0.2.1"}], False),
        ("0.10.0", [{"introduced": "0"}, {"fixed": "0.9"}], False),
        ("0.2", [{"introduced": "0.2.0"}], True),
        ("0.2.0rc1", [{"introduced": "0.2.0"}], False),
        ("0.2.0.post1", [{"introduced": "0"}, {"last_affected": "0.2.0"}], False),
        ("0.2.0", [{"introduced": "0"}, {"last_affected": "0.2.0"}], True),
        ("0.3.0", [{"introduced": "0"}, {"fixed": "0.2.1"}, {"introduced": "0.3.0"}, {"fixed": "0.3.2"}], True),
        ("0.2.5", [{"introduced": "0.3.0"}, {"fixed": "0.3.2"}, {"introduced": "0"}, {"fixed": "0.2.1"}], False),
        ("what is this", [{"introduced": "0.1"}], False),
    ],
)
def test_a_range_covers_what_lies_between_its_events(version: str, events: list[dict[str, str]], covers: bool) -> None:
    assert Affected(Package("wordcam"), (Range("ECOSYSTEM", tuple(events)),)).covers(version) is covers


def test_ranges_of_commits_say_nothing_of_versions() -> None:
    assert not Affected(Package("wordcam"), (Range("GIT", ({"introduced": "0"},)),)).covers("0.2.0")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A server with two devices, one of them of an older version."""
    config = write_config(tmp_path)
    engine = open_database(config_file.load(config).database)
    migrate.migrate(engine)
    now = datetime.now(UTC)
    with writing(engine) as connection:
        for device, version, model in (("pi-01", "0.1.0", "wordcam-1@2.2.0"), ("pi-02", "0.2.0", "wordcam-1@2.4.1")):
            devices.record(connection, status(device=device, version=version, model=model, at=now), heard_at=now)
    engine.dispose()
    return config


def named(site: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[tuple[str, str]]:
    assert main.main(["advisories", *words, "--json", "--config", str(site)]) == 0
    return [(one["where"], one["advisory"]) for one in map(json.loads, capsys.readouterr().out.splitlines())]


def test_the_devices_with_an_affected_version_are_named(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "advisories"
    folder.mkdir()
    for made in (
        advisory("WORDCAM-2026-1", "wordcam", {"introduced": "0"}, {"fixed": "0.2.0"}),
        advisory("WORDCAM-2026-2", "wordcam-1", {"introduced": "2.4.0"}, {"fixed": "2.4.2"}),
        advisory("WORDCAM-2026-3", "wordcam", {"introduced": "0"}, withdrawn="2026-11-30T00:00:00Z"),
    ):
        (folder / f"{made['id']}.json").write_text(json.dumps(made), encoding="utf-8")

    assert named(site, capsys, str(folder)) == [
        ("north-gate/pi-01", "WORDCAM-2026-1"),
        ("north-gate/pi-02", "WORDCAM-2026-2"),
    ]


def test_what_the_programs_stand_on_is_compared_by_their_bill_of_materials(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bill, made = tmp_path / "edge.cdx.json", tmp_path / "opencv.json"
    parts = [{"name": "wordcam", "version": "0.2.0"}, {"name": "opencv-python-headless", "version": "4.11.0.86"}]
    bill.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": parts}), encoding="utf-8")
    fixed = ({"introduced": "0"}, {"fixed": "4.12"})
    made.write_text(json.dumps(advisory("PYSEC-1", "OpenCV_Python.headless", *fixed)), encoding="utf-8")

    assert named(site, capsys, str(made), "--bill", str(bill)) == [("north-gate/pi-02", "PYSEC-1")]


def test_this_server_is_named_too(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = tmp_path / "one.json"
    made.write_text(
        json.dumps(advisory("WORDCAM-2026-4", "wordcam", {"introduced": release.VERSION})), encoding="utf-8"
    )

    assert main.main(["advisories", str(made), "--config", str(site)]) == 0

    said = capsys.readouterr().out
    assert f"this server: WORDCAM-2026-4: wordcam {release.VERSION}" in said
    assert "1 advisories, 2 devices and this server" in said


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"id": 1}', "\xff"])
def test_what_is_no_advisory_is_said_to_be_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="latin-1")

    with pytest.raises(Misconfigured, match=r"a\.json"):
        advisories.read([path])
