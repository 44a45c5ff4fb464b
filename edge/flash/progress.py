"""Progress of long work on standard error: one line that is renewed on a terminal, a line each tenth elsewhere."""

import sys
from dataclasses import dataclass, field
from typing import TextIO

from foundation import terminal


@dataclass(slots=True)
class Progress:
    """Counts bytes of one piece of work."""

    title: str
    total_bytes: int | None
    """None where nobody knows: a compressed file's."""
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    _done: int = 0
    _shown: str = ""

    def add(self, count: int) -> None:
        """Count further bytes."""
        self._done += count
        said = self._said()
        if said != self._shown:
            self._shown = said
            is_renewed = terminal.shows(self.stream)
            self.stream.write(f"\r{self.title}: {said} " if is_renewed else f"{self.title}: {said}\n")
            self.stream.flush()

    def end(self) -> None:
        """End the line."""
        if self._shown and terminal.shows(self.stream):
            self.stream.write("\n")

    def _said(self) -> str:
        if not self.total_bytes:
            return f"{self._done // 100_000_000 / 10:.1f} GB"
        percent = 100 * self._done // self.total_bytes
        return f"{percent} %" if terminal.shows(self.stream) else f"{percent // 10 * 10} %"
