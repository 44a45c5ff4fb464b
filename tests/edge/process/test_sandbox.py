"""What the kernel does for us."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def python(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
def test_a_process_that_left_the_network_cannot_reach_even_this_machine() -> None:
    script = """
import socket
from edge.process import sandbox
server = socket.create_server(("127.0.0.1", 0))
address = server.getsockname()
socket.create_connection(address).close()
why_not = sandbox.leave_network()
if why_not:
    raise SystemExit(why_not)
try:
    socket.create_connection(address, timeout=5)
except OSError as error:
    print("cut off:", error.strerror)
"""
    done = python(script)
    if "refused" in done.stderr:
        pytest.skip(done.stderr.strip())

    assert done.stdout == "cut off: Network is unreachable\n"


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_memory_that_is_hidden_is_in_no_dump() -> None:
    script = """
import ctypes, resource
from edge.process import sandbox
sandbox.hide_memory()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3))
"""
    assert python(script).stdout == "(0, 0) 0\n"


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_child_ends_with_its_parent_however_that_ends(tmp_path: Path) -> None:
    script = f"""
import os, subprocess, sys
from edge.process import sandbox
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], preexec_fn=sandbox.die_with_parent)
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
os.kill(os.getpid(), 9)
"""
    python(script)
    process = Path("/proc") / (tmp_path / "pid").read_text()
    deadline = time.monotonic() + 20
    while _runs(process) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not _runs(process)


def _runs(process: Path) -> bool:
    """Whether a process is there and no zombie (which only awaits its adopter)."""
    try:
        return "\nState:\tZ" not in (process / "status").read_text()
    except OSError:
        return False
