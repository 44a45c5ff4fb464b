"""Memory of the process that looks over very many frames: `python -m bench.device.soak`, or `make soak`.

A film is played to `wordcam-edge look` again and again, as fast as it can look. With `--plot FILE` its memory over the
frames becomes a picture.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from bench.device import commands, plot
from bench.device import film as films
from edge.config import DEFAULT_BUNDLE
from edge.outbox.outbox import Outbox

WARM_SHARE: Final = 0.1
"""Of the frames, during which caches fill; growth is counted after."""

SAMPLE_SECONDS: Final = 1.0

FILM_FRAMES: Final = 500

GROWTH_KIB: Final = 200.0
"""For 1,000 frames, from which memory counts as growing: a device that looks five times a second would have 80 MiB more
after a day."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen at one moment."""

    frames: int
    resident_mib: float


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of one run, in MiB."""

    frames: int
    captions: int
    start: float
    """With the first frames."""
    warm: float
    """Median of the second tenth of the frames."""
    end: float
    """Median of the last tenth."""
    peak: float
    kib_per_1000_frames: float
    """Slope of a line through all samples after warming up."""

    @property
    def grows(self) -> bool:
        """Whether it would fill a device in time."""
        return self.kib_per_1000_frames > GROWTH_KIB


def measure(film: Path, frames: int) -> tuple[list[Sample], int]:
    """Let `look` play a film until it has seen so many frames; return the samples and the number of captions.

    Raises `commands.Failed` where it ends before.
    """
    with tempfile.TemporaryDirectory(prefix="wordcam-soak-") as name:
        folder = Path(name)
        path = folder / "edge.yaml"
        path.write_bytes(msgspec.yaml.encode(_settings(film)))
        program = [sys.executable, "-m", "edge.cli", "look", "--config", str(path)]
        with subprocess.Popen(program, stderr=subprocess.DEVNULL) as look:
            try:
                samples = list(_samples(look, folder / "outbox.sqlite", frames))
            finally:
                look.send_signal(signal.SIGTERM)
        with Outbox(folder / "outbox.sqlite", max_captions=1) as outbox:
            return samples, outbox.ledger().captions


def summary(samples: Sequence[Sample], captions: int) -> Memory:
    """Return the memory of a run by its samples; raises `ValueError` where there are too few."""
    last = samples[-1].frames
    warm = [sample for sample in samples if sample.frames >= WARM_SHARE * last]
    if len(warm) < 3:
        raise ValueError("too few samples; take more frames")
    counts, sizes = ([getattr(sample, name) for sample in warm] for name in ("frames", "resident_mib"))
    return Memory(
        frames=last,
        captions=captions,
        start=round(samples[0].resident_mib, 1),
        warm=_median(sample for sample in warm if sample.frames <= 2 * WARM_SHARE * last),
        end=_median(sample for sample in warm if sample.frames >= (1 - WARM_SHARE) * last),
        peak=round(max(sample.resident_mib for sample in samples), 1),
        kib_per_1000_frames=round(float(np.polyfit(counts, sizes, 1)[0]) * 1000 * 1024, 1),
    )


def _median(samples: Iterator[Sample]) -> float:
    return round(float(np.median([sample.resident_mib for sample in samples] or [float("nan")])), 1)


def _samples(look: "subprocess.Popen[bytes]", outbox: Path, frames: int) -> Iterator[Sample]:
    seen = 0
    while seen < frames:
        if look.poll() is not None:
            raise commands.Failed(f"`wordcam-edge look` ended with {look.returncode}")
        time.sleep(SAMPLE_SECONDS)
        if not outbox.exists():
            continue
        with Outbox(outbox, max_captions=1) as opened:
            now = opened.ledger().frames
        if now > seen:
            seen = now
            yield Sample(now, _resident_mib(look.pid))


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def _settings(film: Path) -> dict[str, object]:
    camera = {
        "kind": "replay",
        "path": str(film.resolve()),
        "loop": True,
        "pace": "fast",
        "looks_per_second": films.RATE,
    }
    return {
        "site": "bench",
        "device": "bench",
        "bundle": str(DEFAULT_BUNDLE.resolve()),
        "threads": 1,
        "camera": camera,
        "visits": {"enabled": False},  # a caption a second of the film, for whatever moves
        "as_root": os.geteuid() == 0,  # it watches no camera
        "outbox": {"path": "outbox.sqlite"},
        "mqtt": {"host": "localhost"},
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print: 0 where memory does not grow, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.device.soak", description=(__doc__ or "").partition(": ")[0])
    parser.add_argument("--frames", type=int, default=20_000, metavar="N", help="default: %(default)s")
    parser.add_argument("--film", type=Path, metavar="FILE", help="in place of a drawn one")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write memory over frames as SVG or PNG")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="wordcam-film-") as folder:
        film = given.film or films.write(Path(folder) / "film.mp4", FILM_FRAMES)
        try:
            samples, captions = measure(film, given.frames)
            found = summary(samples, captions)
        except (commands.Failed, ValueError) as error:
            print(f"soak: {error}", file=sys.stderr)
            return 75
    print(json.dumps(asdict(found)))
    if given.plot is not None:
        plot.memory([(sample.frames, sample.resident_mib) for sample in samples], given.plot)
    return 1 if found.grows else 0


if __name__ == "__main__":
    sys.exit(main())
