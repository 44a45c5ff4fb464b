"""The report of a device, and the page of reports."""

import json
from pathlib import Path

import pytest

from bench.device import __main__ as program
from bench.device import page
from tests.house import ROOT

pytestmark = pytest.mark.slow


def test_a_report_names_the_machine_and_what_it_takes_and_nothing_of_its_owner(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.json"

    assert program.main(["--report", str(path), "--bundle", str(tiny), "--frames", "3"]) == 0

    found = json.loads(path.read_text("utf-8"))
    assert found["machine"]["cores"] >= 1
    assert {run["captions"] for run in found["runs"]} == {3}
    assert "encode" in path.with_suffix(".svg").read_text("utf-8")
    assert set(found["machine"]) == {"board", "architecture", "cores", "memory_mib", "kernel", "python", "libraries"}


def test_the_page_says_what_the_reports_say() -> None:
    written = (ROOT / "docs" / "devices.md").read_text("utf-8")

    assert written == page.text(page.read(ROOT / "docs" / "devices")), "run `python -m bench.device --page docs`"
    assert "No figure from a Raspberry Pi" in written or "Raspberry Pi" in written.partition("|---")[2]


def test_a_file_that_is_no_report_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / "mine.json").write_text("{}", "utf-8")

    assert program.main(["--page", str(tmp_path)]) == 78
    assert "mine.json: not a report" in capsys.readouterr().err
