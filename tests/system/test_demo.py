"""The demo, as a stranger runs it."""

import contextlib
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testing.waiting import PATIENCE_SECONDS, wait_until
from tests.conftest import REPOSITORY
from tests.system.device import RED, paint

DEMO = [sys.executable, "-m", "demo"]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the demo to its end."""
    command = [*DEMO, *map(str, arguments)]
    return subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


@pytest.fixture
def fires(tmp_path: Path) -> Path:
    """Pictures that the tiny bundle calls a fire."""
    return paint(tmp_path / "pictures", [RED] * 3)


def test_it_shows_sentences_an_alert_and_what_it_saved(tiny: Path, fires: Path) -> None:
    done = run("--bundle", tiny, "--clip", fires)

    assert done.returncode == 0, done.stderr
    assert re.search(r"│ SMS to \+12025550123 \(not sent", done.stdout)
    assert re.search(r"│ ALERT Fire - Demo yard", done.stdout)
    assert re.search(r"^\d\d:\d\d:\d\d Demo.*a fire burning", done.stdout, re.MULTILINE)
    assert re.search(r"alerts +1 \(fire\)", done.stdout)
    assert re.search(r"kB of words in place of .* of video, \d+ times less", done.stdout)
    assert re.search(r"encode +\d", done.stdout)


def test_as_shipped_it_sees_a_calm_yard_and_then_raises_the_alarm_for_the_fire() -> None:
    done = run()

    assert done.returncode == 0, done.stderr
    sentences = re.findall(r"^\d\d:\d\d:\d\d Demo.*", done.stdout, re.MULTILINE)
    assert "fire" not in sentences[0]
    assert sum("fire" in sentence for sentence in sentences) >= 3
    assert re.search(r"│ ALERT Fire - Demo yard", done.stdout), done.stdout


def test_when_it_is_killed_nothing_is_left_running(tiny: Path) -> None:
    with subprocess.Popen([*DEMO, "--bundle", str(tiny)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        seen = ""
        while "Sentences as they reach" not in seen:
            seen += demo.stdout.readline()
        # MQTT server, alert service, console, watch, device with its two processes
        wait_until(lambda: len(_below(demo.pid)) >= 5, "the start of every process")
        family = _below(demo.pid)
        demo.kill()
        demo.wait(PATIENCE_SECONDS)

    wait_until(lambda: not [pid for pid in family if _runs(pid)], "the end of every process")


def _below(pid: int) -> list[int]:
    """Return every process below one."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_speaks_korean(tiny: Path, fires: Path) -> None:
    done = run("--bundle", tiny, "--clip", fires, "--language", "ko")

    assert done.returncode == 0, done.stderr
    assert "[경보] 화재 · 데모" in done.stdout
    assert re.search("경보 +1", done.stdout)


def test_ctrl_c_ends_it_with_its_summary(tiny: Path) -> None:
    # A shell starts what it puts into the background with SIGINT ignored, and these tests may run there.
    command = ["env", "--default-signal=INT", *DEMO, "--bundle", str(tiny)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        seen = ""
        while "Sentences as they reach" not in seen:
            seen += demo.stdout.readline()
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        code = demo.wait(PATIENCE_SECONDS)

    assert code == 0
    assert "Stopping." in rest
    assert "What happened" in rest


def test_a_clip_that_does_not_play_is_told_in_the_devices_own_words(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"this is no film")

    done = run("--bundle", tiny, "--clip", tmp_path / "film.mp4")

    assert done.returncode in {75, 78}
    assert "film.mp4" in done.stderr


def test_a_bundle_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = run("--bundle", tmp_path)

    assert done.returncode == 78
    assert f"{tmp_path} holds no model bundle" in done.stderr
