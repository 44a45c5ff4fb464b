"""The page of reports that owners of devices have sent in: docs/devices.md, from the files in docs/devices."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.device.report import FORMAT, Report

_HEAD: Final = """\
# Figures of devices

<!-- Generated from docs/devices/*.json by `python -m bench.device --page docs`. Add a file, not a row. -->

**No figure from a Raspberry Pi or a Jetson exists yet.** The owner of one can make it in two minutes, in a clone of
this repository, while no camera is being watched:

```console
$ .venv/bin/python -m bench.device --report my-device.json
```

The file says what board it is, which versions ran, and what one captioned frame takes of time and memory. It holds no
name of a host, a user or a network, and no picture; `my-device.svg` beside it draws where the time of a frame goes. Put
the file into `docs/devices` under a name like `raspberry-pi-5.json`, run `python -m bench.device --page docs`, and send
what that changes in.

"""

_COLUMNS: Final = (
    "board",
    "wordcam",
    "threads",
    "encode p50",
    "decode p50",
    "frame to sentence",
    "by interpreter calls",
    "first caption",
    "memory of `look`",
)


PLOT: Final = "images/device-stages.svg"
"""Beside the page: where the time of a captioned frame goes."""


def read(folder: Path) -> list[Report]:
    """Read all reports of a folder; raises `ValueError` naming a file that is none."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            report = msgspec.json.decode(path.read_bytes(), type=Report)
        except msgspec.MsgspecError as error:
            raise ValueError(f"{path}: not a report: {error}") from error
        if report.format != FORMAT:
            raise ValueError(f"{path}: format {report.format} is not {FORMAT}")
        found.append(report)
    return found


def text(reports: list[Report]) -> str:
    """Write the page."""
    head = "| " + " | ".join(_COLUMNS) + " |\n" + "|---" * len(_COLUMNS) + "|\n"
    rows = "".join(f"| {' | '.join(row)} |\n" for report in reports for row in _rows(report))
    return f"{_HEAD}{head}{rows}\n![Milliseconds of each stage of a captioned frame, on each device]({PLOT})\n"


def stages(reports: list[Report]) -> dict[str, dict[str, float]]:
    """Return the median milliseconds of each stage, by device and threads."""
    return {
        f"{report.machine.board}, {run['threads']} thread{'s' * (run['threads'] != 1)}": {
            stage["name"]: float(stage["p50_ms"]) for stage in run["stages"]
        }
        for report in reports
        for run in report.runs
    }


def _rows(report: Report) -> Iterator[list[str]]:
    machine = report.machine
    board = f"{machine.board}, {machine.cores} cores, {machine.memory_mib / 1024:.0f} GiB, {machine.architecture}"
    for run in report.runs:
        yield [
            board.replace("|", "/"),
            report.wordcam,
            str(run["threads"]),
            *(f"{_median(run, stage):.1f} ms" for stage in ("encode", "decode")),
            f"{run['sentence_ms']:.0f} ms",
            f"{run['overhead']:.2f} times",
            f"{run['cold_start_seconds']:.1f} s",
            f"{run['peak_rss_mib']:.0f} MiB",
        ]


def _median(run: dict[str, Any], stage: str) -> float:
    return next(float(one["p50_ms"]) for one in run["stages"] if one["name"] == stage)
