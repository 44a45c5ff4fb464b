"""Bench: what one captioned frame costs on this device, measured on the `look` process as it ships."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from contract.status import Stage
from edge.errors import MISCONFIGURED, Misconfigured, TryAgain
from edge.infer import image
from edge.outbox import process_report
from edge.outbox.outbox import Outbox

SCENES: Final = 8
"""Different pictures drawn where no source is given."""

HEIGHT: Final = 720
WIDTH: Final = 1280
"""Their size: what a usual USB camera gives."""

LOOKS_PER_SECOND: Final = 25
"""Rate of a folder's pictures; the replay is fast, so that it sets no pace."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured."""

    model: str
    """Model bundle."""
    threads: int
    """Processor cores that inference could use."""
    frames: int
    """Frames looked at."""
    captions: int
    """Frames captioned."""
    stages: tuple[Stage, ...]
    """Latency of each stage."""
    sentence_ms: float
    """Mean wall time from a frame in memory to its sentence: resize, gate, encode, detect, decode."""
    invoke_ms: float
    """Mean time of it inside the interpreters."""
    overhead: float
    """`sentence_ms` by `invoke_ms`: 1.1 is a tenth on top of the interpreters."""
    cold_start_seconds: float
    """From the start of the process to its first caption in the outbox."""
    peak_rss_mib: float
    """Most resident memory that the `look` process had."""


def measure(bundle: Path, *, threads: int, frames: int, source: Path | None) -> Figures:
    """Run `look` over a replay with a gate that lets every frame through; raises `Failure` where it fails."""
    with tempfile.TemporaryDirectory(prefix="wordcam-bench-") as name:
        folder = Path(name)
        settings = folder / "edge.yaml"
        path = source.resolve() if source is not None else _draw(folder / "frames", frames)
        settings.write_bytes(msgspec.yaml.encode(_settings(bundle.resolve(), path, threads)))
        _run([sys.executable, "-m", "edge.cli", "look", "--config", str(settings)])
        with Outbox(folder / "outbox.sqlite", max_captions=1) as outbox:
            ledger, looked = outbox.ledger(), process_report.read(outbox, process_report.LOOK)
    if looked.sentence_ms is None or looked.invoke_ms is None or looked.first_caption_seconds is None:
        raise Misconfigured(f"{path}: not one frame was captioned")
    return Figures(
        model=looked.model,
        threads=threads,
        frames=ledger.frames,
        captions=ledger.captions,
        stages=looked.stages,
        sentence_ms=looked.sentence_ms,
        invoke_ms=looked.invoke_ms,
        overhead=round(looked.sentence_ms / looked.invoke_ms, 3),
        cold_start_seconds=looked.first_caption_seconds,
        # The one child this process has waited for; Linux gives KiB, and never less than this process had at the fork.
        peak_rss_mib=round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
    )


def lines(figures: Figures) -> Iterator[str]:
    """Yield the figures for people to read."""
    yield f"{figures.model}, {figures.threads} thread(s), {figures.captions} captions of {figures.frames} frames"
    for stage in figures.stages:
        yield f"  {stage.name:<8} p50 {stage.p50_ms:8.2f} ms   p95 {stage.p95_ms:8.2f} ms"
    yield f"frame to sentence {figures.sentence_ms:.2f} ms, {figures.overhead:.2f} times its interpreter calls"
    yield f"cold start to first caption {figures.cold_start_seconds:.2f} s"
    yield f"resident memory at most {figures.peak_rss_mib:.0f} MiB"


def _settings(bundle: Path, path: Path, threads: int) -> dict[str, Any]:
    camera = {"kind": "replay", "path": str(path), "pace": "fast", "looks_per_second": LOOKS_PER_SECOND}
    return {
        "site": "bench",
        "device": "bench",
        "bundle": str(bundle),
        "threads": threads,
        "camera": camera,
        "gate": {"motion_share": 0.0, "min_gap_seconds": 0.0},
        "outbox": {"path": "outbox.sqlite"},
        "mqtt": {"host": "localhost"},
        "as_root": os.geteuid() == 0,  # it watches no camera
    }


def _draw(folder: Path, frames: int) -> Path:
    """Draw a few scenes of rectangles, and link them to as many files as frames are wanted."""
    folder.mkdir()
    draw = np.random.default_rng(7)
    for number in range(frames):
        file = folder / f"{number:06}.jpg"
        if number >= SCENES:
            file.hardlink_to(folder / f"{number % SCENES:06}.jpg")
            continue
        picture = np.full((HEIGHT, WIDTH, 3), draw.integers(0, 256, 3), np.uint8)
        for _ in range(60):
            (x1, x2), (y1, y2) = draw.integers(0, WIDTH, 2).tolist(), draw.integers(0, HEIGHT, 2).tolist()
            picture[min(y1, y2) : max(y1, y2), min(x1, x2) : max(x1, x2)] = draw.integers(0, 256, 3)
        file.write_bytes(image.encode_jpeg(picture))
    return folder


def _run(program: list[str]) -> None:
    done = subprocess.run(program, check=False, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2].removeprefix("wordcam-edge look: ")
        raise Misconfigured(said) if done.returncode == MISCONFIGURED else TryAgain(said)
