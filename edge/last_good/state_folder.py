"""Where a process keeps what it falls back to."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SYSTEMD: Final = "STATE_DIRECTORY"
"""Environment variable by which systemd names the folder of `StateDirectory=`, for each unit its own."""


def of(configuration: Path, process: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of one process: systemd's, or else `edge.state` beside `edge.yaml`."""
    given = environment.get(SYSTEMD, "").partition(":")[0]
    return (Path(given) if given else configuration.resolve().with_suffix(".state")) / process
