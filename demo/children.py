"""The processes of the demo: stopped in the opposite order of their start, and ended with the demo itself."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from demo import screen
from demo.errors import Stuck
from foundation import child_process

STOP_SECONDS: Final = 10
"""A service drains and ends within a second; after ten it is ended by force."""

TAIL_LINES: Final = 12
"""Log lines shown of a process that failed: enough for its last words."""


@dataclass
class Child:
    """One process. What it writes to stdout is shown; its log, on stderr, goes to a file."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    shower: threading.Thread | None = None

    def check(self) -> None:
        """Raise `Stuck` with its last words where it has ended though it should run."""
        code = self.process.poll()
        if code is not None:
            raise Stuck(f"{self.name} ended with exit code {code}; its log ends:\n{self.last_words()}", code=75)

    def last_words(self) -> str:
        """Return the end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-TAIL_LINES:])

    def stop(self) -> int:
        """Ask it to end (SIGTERM), by force in the end, and return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            code = self.process.wait()
        if self.shower is not None:
            self.shower.join(STOP_SECONDS)
        return code


@dataclass
class Children:
    """All processes of the demo, in the order of their start."""

    folder: Path
    _children: list[Child] = field(default_factory=list)

    def start(self, name: str, *command: str | Path, show: Callable[[str], str] | None = None) -> Child:
        """Start a process in a session of its own, so that Ctrl-C in the terminal reaches the demo alone.

        With `show`, which may change it, its stdout goes to the terminal, otherwise nowhere. The process ends with the
        demo, also with one that is killed.
        """
        log = self.folder / f"{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                child_process.bound([str(part) for part in command]),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if show is None else subprocess.PIPE,
                stderr=file,
                start_new_session=True,
            )
        shower = screen.follow(process.stdout, show) if process.stdout and show else None
        child = Child(name, process, log, shower)
        self._children.append(child)
        return child

    def stop(self) -> None:
        """Stop all that still run, the last first."""
        while self._children:
            self._children.pop().stop()


def installed(program: str) -> Path:
    """Return the path of a program that was installed beside the running Python."""
    return Path(sys.executable).parent / program
