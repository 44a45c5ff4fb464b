"""The systemd units: valid, tight, and true to the command line."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from edge.errors import MISCONFIGURED

UNITS = sorted((Path(__file__).resolve().parents[2] / "deploy" / "systemd").glob("*.service"))


def unit(verb: str) -> configparser.SectionProxy:
    return next(read(path) for path in UNITS if path.stem == f"wordcam-{verb}")


def read(unit: Path) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's keys have capitals
    parser.read(unit, encoding="utf-8")
    return parser["Service"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    # The program is where a device has it, not here.
    text = unit.read_text(encoding="utf-8").replace("/opt/wordcam/bin/wordcam-edge", "/bin/true")
    (tmp_path / unit.name).write_text(text, encoding="utf-8")

    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / unit.name)], check=False, capture_output=True, text=True
    )

    assert (done.returncode, [line for line in done.stderr.splitlines() if unit.name in line]) == (0, [])


def test_the_process_that_sees_has_no_network_and_the_one_that_sends_no_camera() -> None:
    look, send = unit("look"), unit("send")

    assert look["PrivateNetwork"] == "yes"
    assert look["RestrictAddressFamilies"] == "none"
    assert look["LimitCORE"] == send["LimitCORE"] == "0"
    assert send["PrivateDevices"] == "yes"
    assert "DeviceAllow" not in send
    assert look["User"] != send["User"]
    assert look["Group"] == send["Group"]


def test_frames_go_from_the_process_that_pulls_to_the_one_that_looks_and_to_no_other() -> None:
    look, send, pull = unit("look"), unit("send"), unit("pull")

    assert pull["IPAddressDeny"] == "any"
    assert pull["Group"] in look["SupplementaryGroups"].split()
    assert pull["Group"] not in send.get("SupplementaryGroups", "").split()
    assert pull["RuntimeDirectoryMode"] == "0750", "the group reads, and does not write"
    assert f"-/run/{pull['RuntimeDirectory']}" in send["InaccessiblePaths"].split()
    assert len({look["User"], send["User"], pull["User"]}) == 3
    for service in (look, pull):
        assert service["ExecStart"].endswith(f"--frames /run/{pull['RuntimeDirectory']}")


def test_sealed_evidence_lies_where_the_processes_with_a_network_see_nothing() -> None:
    # `look` keeps it in its own state folder; see edge/last_good/state_folder.py.
    folder = f"-/var/lib/{unit('look')['StateDirectory']}"

    assert unit("look")["StateDirectoryMode"] == "0700"
    for verb in ("send", "pull"):
        assert folder in unit(verb)["InaccessiblePaths"].split()
        assert unit(verb)["ProtectSystem"] == "strict"


@pytest.mark.parametrize("verb", ["look", "pull"])
def test_an_instance_for_one_of_several_cameras_does_the_same_for_that_one(verb: str) -> None:
    instance = read(UNITS[0].parent / f"wordcam-{verb}@.service.d" / "stream.conf")

    assert instance["ExecStart"] == f"{unit(verb)['ExecStart']} --stream %i"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_each_process_has_a_folder_of_its_own_for_what_it_falls_back_to(unit: Path) -> None:
    assert (read(unit)["StateDirectory"], read(unit)["StateDirectoryMode"]) == (unit.stem, "0700")


def test_systemd_starts_the_process_that_sends_again_where_it_hangs() -> None:
    send = unit("send")

    assert (send["Type"], send["NotifyAccess"], send["WatchdogSec"]) == ("notify", "main", "120")
    assert "AF_UNIX" in send["RestrictAddressFamilies"], "by which it says that it goes on"


@pytest.mark.parametrize("verb", ["look", "pull"])
def test_a_process_that_closes_itself_may_do_so_under_its_unit(verb: str) -> None:
    path = next(path for path in UNITS if path.stem == f"wordcam-{verb}")
    filters = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("SystemCallFilter=")]
    allowed = {call for line in filters if "~" not in line for call in line.partition("=")[2].split()}

    # systemd 252, of Debian 12 and Raspberry Pi OS 12, has none of them among @system-service.
    assert {"seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"} <= allowed


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_what_only_the_operator_can_mend_is_not_tried_again(unit: Path) -> None:
    service = read(unit)

    assert service["RestartPreventExitStatus"] == str(MISCONFIGURED)
    assert service["Restart"] == "always"
    assert service["ExecStart"].split()[1] == unit.stem.removeprefix("wordcam-")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_exposed_to_little(unit: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")

    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", str(unit)],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout.splitlines()[-1:]
