"""`wordcam-broker run --console`: two processes by one command, which end together."""

import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from broker.cli import main

PATIENCE_SECONDS = 120


def console_of(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """Start both, and return the process and the console's address once it answers."""
    command = [sys.executable, "-m", "broker", "run", "--console"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    _until(lambda: _answers(address))
    return process, address


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=5):
            return True
    except OSError:
        return False


def _until(happens: object) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happens():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_console_answers_and_ends_with_the_service_however_that_ends(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main.main(["init"])
    broker = tmp_path / "broker.yaml"
    broker.write_text(broker.read_text(encoding="utf-8").replace("port: 8080", "port: 0"), encoding="utf-8")
    process, address = console_of(tmp_path)

    process.send_signal(number)
    code = process.wait(PATIENCE_SECONDS)

    assert code == (0 if number is signal.SIGTERM else -signal.SIGKILL)
    _until(lambda: not _answers(address))
    assert process.stdout is not None
    process.stdout.close()
