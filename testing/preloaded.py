"""Starts programs in forks of a process that has already imported what they import.

A program under test needs a process of its own, with its own signals, files and memory. Importing TensorFlow takes
seconds, and tests start hundreds of programs: `Preloaded` imports once and forks for each start. What happens while a
program is imported cannot be tested this way: one test for each program starts the installed command.
"""

import atexit
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from testing.waiting import POLL_SECONDS


class Preloaded:
    """The process that forks. `modules` are imported at its start, under `environment`.

    Nothing may start threads at import, for a fork has the calling thread alone.
    """

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "testing.preloaded", str(theirs.fileno()), *modules]
        root = Path(__file__).resolve().parents[1]
        path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH", ""))))
        whole = {**os.environ, "PYTHONPATH": path, **environment}
        self._process = subprocess.Popen(command, env=whole, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self._socket = ours
        self._lock = threading.Lock()
        atexit.register(self.close)

    def close(self) -> None:
        """End it, and every program that it has started and that still runs."""
        self._socket.close()
        self._process.wait()
        atexit.unregister(self.close)

    def start(  # noqa: PLR0913 - as `subprocess.Popen`
        self,
        program: str,
        arguments: Sequence[str],
        *,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        output: IO[bytes] | None = None,
        log: IO[bytes] | None = None,
    ) -> "Program":
        """Call the function `module:function` of `program` in a new process, with `arguments` in `sys.argv`.

        `output` and `log` become its standard output and standard error; without them they are pipes.
        """
        (stdout, first), (stderr, second) = _outlet(output), _outlet(log)
        status, report = os.pipe()
        whole = dict(os.environ if environment is None else environment)
        order = {"program": program, "arguments": list(arguments), "cwd": str(cwd or Path.cwd()), "environment": whole}
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(order).encode()], [first, second, report])
        for number in (first, second, report):
            os.close(number)
        pid = os.read(status, 64)
        if not pid:
            raise RuntimeError("the process that starts programs has ended")
        return Program(int(pid), status, stdout, stderr)


@dataclass
class Program:
    """One program that runs, with the methods of `subprocess.Popen` that tests need."""

    pid: int
    _status: int
    stdout: IO[str] | None
    stderr: IO[str] | None
    returncode: int | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self.kill()
        self.wait()
        for pipe in (self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal; None while it runs."""
        return self._read(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit code; raises `subprocess.TimeoutExpired`."""
        code = self._read(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Read both pipes until its end and return them; raises `subprocess.TimeoutExpired`."""
        found: dict[int, str] = {}
        pipes = [pipe for pipe in (self.stdout, self.stderr) if pipe is not None]
        readers = [
            threading.Thread(target=lambda pipe=pipe: found.update({id(pipe): pipe.read()}), daemon=True)
            for pipe in pipes
        ]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader, pipe in zip(readers, pipes, strict=True):
            reader.join(timeout)
            pipe.close()
        return found.get(id(self.stdout), ""), found.get(id(self.stderr), "")

    def send_signal(self, number: int) -> None:
        """Send it a signal; nothing happens if it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _read(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            ready, _, _ = select.select([self._status], [], [], timeout)
            if not ready:
                return None
            self.returncode = int(os.read(self._status, 64) or b"-9")
            os.close(self._status)
        return self.returncode


def _outlet(file: IO[bytes] | None) -> tuple[IO[str] | None, int]:
    """Return a pipe's end to read and the descriptor to write to; the latter is the file's, where there is one."""
    if file is not None:
        return None, os.dup(file.fileno())
    read, write = os.pipe()
    return os.fdopen(read, "r", encoding="utf-8"), write


class _Server:
    """The loop of the forking process."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._reports: dict[int, int] = {}

    def run(self) -> None:
        """Fork for each order; returns in each child, and raises `SystemExit` in the parent when nobody orders more."""
        while True:
            ready, _, _ = select.select([self._orders], [], [], POLL_SECONDS)
            self._reap()
            if not ready:
                continue
            data, files, _, _ = socket.recv_fds(self._orders, 1 << 20, 3)
            if not data:
                self._end()
            if self._fork(files):
                _become(json.loads(data), files[:-1])
                return

    def _fork(self, files: Sequence[int]) -> bool:
        """Fork; True in the child."""
        pid = os.fork()
        if pid == 0:
            self._orders.close()
            for number in (*self._reports.values(), files[-1]):
                os.close(number)
            return True
        os.write(files[-1], str(pid).encode())
        self._reports[pid] = files[-1]
        for number in files[:-1]:
            os.close(number)
        return False

    def _reap(self) -> None:
        while self._reports:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            report = self._reports.pop(pid)
            os.write(report, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(report)

    def _end(self) -> None:
        for pid in self._reports:
            os.kill(pid, signal.SIGKILL)
        while self._reports:
            self._reap()
            time.sleep(POLL_SECONDS)
        os._exit(0)


def _become(order: Mapping[str, Any], files: Sequence[int]) -> None:
    """Make the forked process the ordered program, and run it to its end."""
    for wanted, number in zip((1, 2), files, strict=True):
        os.dup2(number, wanted)
        os.close(number)
    # The streams that were opened at the start belong to other files.
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - a descriptor
    sys.stderr = open(  # noqa: SIM115
        2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False
    )
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["cwd"])
    if strictness := order["environment"].get("PYTHONWARNINGS"):
        warnings.simplefilter(strictness)
    module, _, function = order["program"].partition(":")
    sys.argv = [module, *order["arguments"]]
    sys.exit(getattr(importlib.import_module(module), function)())


def _main() -> None:
    """Import, then fork for each order."""
    orders = socket.socket(fileno=int(sys.argv[1]))
    for module in sys.argv[2:]:
        importlib.import_module(module)
    gc.freeze()
    _Server(orders).run()


if __name__ == "__main__":
    _main()
