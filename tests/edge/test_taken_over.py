"""A `look` that an attacker has taken over: the very process, with the attacker's code in it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.look.camera import frames_folder
from edge.process import landlock
from tests.edge.conftest import Write
from tests.edge.program import ROOT, edge, last_line

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="isolation is Linux's")

LANDLOCK_VERSION = landlock.version()
BY_LANDLOCK = {
    "write to frames": 1,
    "replace frames": 1,
    "file outside": 1,
    "configuration": 1,
    "file in memory": 1,
    "core pattern": 1,
    "memory of the parent": 1,
    "files of the parent": 1,
    "environment of the parent": 1,
    "named pipe": 1,
    "symbolic link": 1,
    "signal to the parent": 6,
}
"""What a unit keeps by users and mounts, and what without one the kernel's Landlock keeps, from a version on."""


@pytest.fixture
def opened(tiny: Path, tmp_path: Path, write_config: Write, frames: Path) -> list[str]:
    """Every way out that code in `wordcam-edge look` finds open."""
    (tmp_path / "outbox").mkdir()
    config = write_config(bundle=str(tiny), outbox={"path": "outbox/outbox.sqlite"})
    ring = frames_folder.prepare(frames_folder.usual(tmp_path / "ring")) / "cam-0.frames"
    ring.write_bytes(bytes(8192))
    result = tmp_path / "outbox" / "opened.json"
    taken_over = {
        "PYTHONPATH": str(Path(__file__).parent / "taken_over"),
        "TAKEN_OVER_RESULT": str(result),
        "TAKEN_OVER_FRAMES": str(ring),
        "TAKEN_OVER_OUTSIDE": str(tmp_path / "outside"),
        "TAKEN_OVER_CONFIG": str(config),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "edge.cli", "look", "--config", str(config)],
            cwd=ROOT,
            env=os.environ | taken_over,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    finally:
        frames_folder.remove(ring.parent)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(result.read_text(encoding="utf-8"))
    return found


def test_code_in_the_process_that_sees_finds_no_way_out(opened: list[str]) -> None:
    known = {name for name, since in BY_LANDLOCK.items() if since > LANDLOCK_VERSION}

    assert set(opened) - known == set()


def test_where_it_cannot_be_cut_off_it_does_not_start(tiny: Path, write_config: Write, frames: Path) -> None:
    # A process that may start no further filter is what a kernel without filters is: it refuses.
    path = write_config(bundle=str(tiny))
    full = (
        "from edge.process import sandbox, seccomp; import sys, os\n"
        "sandbox.gain_nothing()\n"
        "while not seccomp.install(): pass\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'edge.cli', 'look', '--config', sys.argv[1]])"
    )
    program = [sys.executable, "-c", full, str(path)]

    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 78, done.stderr
    assert last_line(done).startswith(
        "wordcam-edge look: the process that sees cannot be cut off from the network: the kernel refused (ENOMEM)"
    )
    allowed = write_config(bundle=str(tiny), allow_network=True)
    done = subprocess.run([*program[:-1], str(allowed)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "network kept" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="these tests are not run by root")
@pytest.mark.parametrize("verb", ["look", "run"])
def test_root_is_refused_unless_that_is_wanted(verb: str, tiny: Path, write_config: Write, frames: Path) -> None:
    done = edge(verb, "--config", write_config(bundle=str(tiny), as_root=False))

    assert done.returncode == 78
    assert f"wordcam-edge {verb}: this is root, whom no isolation holds for sure" in done.stderr
