"""The program `wordcam-edge`, run as a process."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def edge(*arguments: object, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-W", "error", "-m", "edge.cli", *map(str, arguments)]
    return subprocess.run(program, capture_output=True, text=True, check=False, cwd=ROOT, timeout=seconds)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that is no log record."""
    (line,) = (line for line in done.stderr.splitlines() if not line.startswith("{"))
    return line
