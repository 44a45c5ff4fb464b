"""A bound child does not outlive its parent, even one that is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from foundation import child_process

PATIENCE_SECONDS = 60

PARENT = """
import subprocess, sys, time
from foundation import child_process
script = "import time; print('up', flush=True); time.sleep(600)"
child = subprocess.Popen(child_process.bound([sys.executable, "-c", script]))
print(child.pid, flush=True)
time.sleep(600)
"""


def runs(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_when_the_parent_is_killed_the_child_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        said = {parent.stdout.readline().strip() for _ in range(2)}
        (child,) = (int(word) for word in said - {"up"})
        assert runs(child)

        parent.send_signal(signal.SIGKILL)
        parent.wait()

    deadline = time.monotonic() + PATIENCE_SECONDS
    while runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_is_the_program_itself_with_its_arguments_and_exit_code() -> None:
    script = "import sys; print(sys.argv[1:]); sys.exit(7)"
    done = subprocess.run(
        child_process.bound([sys.executable, "-c", script, "a b", ""]), capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (7, "['a b', '']\n")


def test_one_whose_parent_is_gone_already_does_not_start() -> None:
    command = child_process.bound([sys.executable, "-c", "print('started')"])
    command[command.index(str(os.getpid()))] = "1"

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (128 + signal.SIGTERM, "")
