"""What a process of the alert service writes to its standard error."""

import json
import subprocess
import sys

import pytest

SETUP = (
    "import sys; from broker.cli import log, main; main.main(['check', '--config', '/nowhere']); log.catch_the_rest(); "
)


@pytest.mark.parametrize(
    ("script", "level", "said"),
    [
        ("1 / 0", "critical", "ZeroDivisionError"),
        ("import threading; threading.Thread(target=lambda: 1 / 0).start()", "critical", "ZeroDivisionError"),
        ("import warnings; warnings.warn('old')", "warning", "UserWarning: old"),
    ],
)
def test_what_nobody_catches_is_a_json_line_too(script: str, level: str, said: str) -> None:
    done = subprocess.run([sys.executable, "-c", SETUP + script], capture_output=True, text=True, check=False)

    complaint, *lines = done.stderr.splitlines()
    assert complaint.startswith("wordcam-broker: /nowhere")
    line = json.loads("".join(lines))
    assert line["level"] == level
    assert said in line.get("traceback", line["event"])
