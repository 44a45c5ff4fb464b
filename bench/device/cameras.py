"""Measures several cameras on one device: `python -m bench.device.cameras --film FILE` prints a Markdown table.

Each camera is a film played at its own speed, watched by a process of its own as on a device. Processor time counts,
not the clock's, so that a busy machine gives nearly the same figures: it looks at fewer frames, and is asked for less.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from bench.device import commands
from edge.config import DEFAULT_BUNDLE
from edge.outbox import process_report
from edge.outbox.outbox import Outbox

LOOKS_PER_SECOND: Final = 5

RUNS: Final = ((1, None), (2, None), (4, None), (4, 0.02))
"""Cameras, and the cores that they may use."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured of one number of cameras."""

    cameras: int
    max_cores: float | None
    cpu_seconds: float
    """Processor time of all processes that look, their start without."""
    frames: int
    captions: int
    peak_rss_mib: float
    """Of the largest process."""

    @property
    def cores(self) -> float:
        """Cores that all cameras together take of a machine that looks at every frame."""
        return self.cpu_seconds / (self.frames / self.cameras / LOOKS_PER_SECOND)


def measure(film: Path, cameras: int, max_cores: float | None, seconds: float) -> Run:
    """Watch a film by so many cameras for some seconds; raises `Failed`."""
    with tempfile.TemporaryDirectory(prefix="wordcam-bench-") as name:
        folder = Path(name)
        path = folder / "edge.yaml"
        path.write_bytes(msgspec.yaml.encode(_settings(film, cameras, max_cores)))
        streams = [["--stream", f"cam-{number}"] if cameras > 1 else [] for number in range(cameras)]
        program = [sys.executable, "-m", "edge.cli", "look", "--config", str(path)]
        children = [subprocess.Popen([*program, *stream], stderr=subprocess.DEVNULL) for stream in streams]
        try:
            began = _begun(folder / "outbox.sqlite", children)
            time.sleep(seconds)
            after = _used(children)
            peak = max(_peak_rss_mib(child.pid) for child in children)
        finally:
            for child in children:
                child.send_signal(signal.SIGTERM)
            for child in children:
                child.wait()
        with Outbox(folder / "outbox.sqlite", max_captions=1) as outbox:
            ledger = outbox.ledger()
    return Run(cameras, max_cores, after - began[0], ledger.frames - began[1], ledger.captions, peak)


def lines(runs: Iterator[Run]) -> Iterator[str]:
    """Yield the table."""
    yield "| cameras | `max_cores` | cores of processor time | ms of it a frame | captions a second | MiB a process |"
    yield "|---|---|---|---|---|---|"
    for run in runs:
        limit = "" if run.max_cores is None else f"{run.max_cores:g}"
        film_seconds = run.frames / run.cameras / LOOKS_PER_SECOND
        yield (
            f"| {run.cameras} | {limit} | {run.cores:.2f} | {1000 * run.cpu_seconds / run.frames:.1f} "
            f"| {run.captions / film_seconds:.2f} | {run.peak_rss_mib:.0f} |"
        )


def _settings(film: Path, cameras: int, max_cores: float | None) -> dict[str, object]:
    replay = {"kind": "replay", "path": str(film.resolve()), "loop": True, "looks_per_second": LOOKS_PER_SECOND}
    each = [replay | {"stream": f"cam-{number}"} for number in range(cameras)]
    return {
        "site": "bench",
        "device": "bench",
        "bundle": str(DEFAULT_BUNDLE.resolve()),
        "threads": 1,
        "cameras": each,
        "max_cores": max_cores,
        "as_root": os.geteuid() == 0,  # it watches no camera
        "outbox": {"path": "outbox.sqlite"},
        "mqtt": {"host": "localhost"},
    }


def _begun(path: Path, children: list[subprocess.Popen[bytes]]) -> tuple[float, int]:
    """Wait until every process has written a caption; return the time used until then and the frames looked at."""
    while True:
        if any(child.poll() is not None for child in children):
            raise commands.Failed("`wordcam-edge look` ended")
        if path.exists():
            with Outbox(path, max_captions=100_000) as outbox:
                report = process_report.read(outbox, process_report.LOOK)
                states = report.cameras or ([report] if report.captions else [])
                if len(states) == len(children) and all(state.captions for state in states):
                    return _used(children), outbox.ledger().frames
        time.sleep(0.2)


def _used(children: list[subprocess.Popen[bytes]]) -> float:
    """Return the processor time of processes, as proc(5) has it."""
    fields = (
        Path(f"/proc/{child.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split() for child in children
    )
    return sum(int(field[11]) + int(field[12]) for field in fields) / os.sysconf("SC_CLK_TCK")


def _peak_rss_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def main(argv: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.device.cameras", description=__doc__)
    parser.add_argument("--film", type=Path, required=True, metavar="FILE")
    parser.add_argument("--seconds", type=float, default=60, metavar="N", help="of each measurement (60)")
    given = parser.parse_args(argv)
    for line in lines(measure(given.film, cameras, cores, given.seconds) for cameras, cores in RUNS):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
