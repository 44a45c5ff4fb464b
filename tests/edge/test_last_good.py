"""A device whose own files are damaged goes on with the last good ones, as processes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from contract import bundle
from contract.status import Part
from edge.errors import MISCONFIGURED
from edge.outbox import process_report
from edge.outbox.outbox import Outbox
from testing.waiting import wait_until
from tests.edge.conftest import Write
from tests.edge.last_good.test_bundle_copy import another
from tests.edge.program import ROOT, edge


def report(folder: Path) -> process_report.Report:
    with Outbox(folder / "outbox.sqlite", 1000) as box:
        return process_report.read(box, process_report.LOOK)


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (lambda folder: os.truncate(folder / "bundle" / "encoder.tflite", 4096), Part.BUNDLE),
        (lambda folder: shutil.rmtree(folder / "bundle"), Part.BUNDLE),
        (lambda folder: (folder / "edge.yaml").write_bytes(b"\0" * 512), Part.CONFIGURATION),
        (lambda folder: (folder / "edge.yaml").write_text("site: lab\n", "utf-8"), Part.CONFIGURATION),
    ],
    ids=["a truncated model", "no bundle", "a configuration of noughts", "half a configuration"],
)
def test_looking_goes_on_after_damage_and_says_with_what(
    tiny: Path, tmp_path: Path, write_config: Write, frames: Path, spoil: object, part: Part
) -> None:
    shutil.copytree(tiny, tmp_path / "bundle")
    path = write_config()
    assert edge("look", "--config", path).returncode == 0
    spoil(tmp_path)  # type: ignore[operator]

    done = edge("look", "--config", path)

    assert done.returncode == 0, done.stderr
    assert [fallback.part for fallback in report(tmp_path).fallbacks] == [part]
    with Outbox(tmp_path / "outbox.sqlite", 1000) as box:
        assert box.ledger().captions == 12


def test_without_a_last_good_one_nothing_is_pretended(write_config: Write, frames: Path) -> None:
    done = edge("look", "--config", write_config())

    assert done.returncode == MISCONFIGURED


def test_a_bundle_is_changed_while_looking(tiny: Path, tmp_path: Path, write_config: Write, frames: Path) -> None:
    shutil.copytree(tiny, tmp_path / "one")
    another(tiny, tmp_path / "two")
    (tmp_path / "bundle").symlink_to("one")
    manifest = bundle.load(tmp_path / "two")
    fields = {name: getattr(manifest, name) for name in manifest.__struct_fields__}
    bundle.write(tmp_path / "two", bundle.Manifest(**fields | {"version": "9.9.9"}))
    camera = {"kind": "replay", "path": "frames", "pace": "real", "loop": True, "looks_per_second": 10}
    program = [sys.executable, "-m", "edge.cli", "look", "--config", str(write_config(camera=camera))]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        wait_until(lambda: (tmp_path / "outbox.sqlite").exists() and report(tmp_path).model, "the first bundle")
        (tmp_path / "next").symlink_to("two")
        (tmp_path / "next").replace(tmp_path / "bundle")
        wait_until(lambda: report(tmp_path).model == "tiny@9.9.9", "the second bundle")
        process.terminate()
        _, said = process.communicate(timeout=60)

    assert process.returncode == 0, said
    assert "bundle changed" in said
    assert report(tmp_path).fallbacks == ()
