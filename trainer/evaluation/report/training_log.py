"""Reads the logs of a run's stages, epoch by epoch."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainer.errors import CheckpointError

STAGES: Final = ("captioner", "detector", "finetuning", "self-critical")
"""Stages that leave a log, in the order in which they are trained; a stage beyond these comes after them."""


@dataclass(frozen=True, slots=True)
class Log:
    """One stage's figures."""

    stage: str
    epochs: tuple[int, ...]
    columns: dict[str, tuple[float | None, ...]]
    """One value an epoch; None where that epoch has none."""


def read(folder: Path) -> list[Log]:
    """Read every log in a run's folder; raises `CheckpointError` for one that is damaged."""
    logs = [_read(path) for path in folder.glob("*.csv")]
    known = {stage: number for number, stage in enumerate(STAGES)}
    return sorted((log for log in logs if log.epochs), key=lambda log: (known.get(log.stage, len(known)), log.stage))


def _read(path: Path) -> Log:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        epochs = tuple(int(row["epoch"]) + 1 for row in rows)
        names = [name for name in (rows[0] if rows else {}) if name and name != "epoch"]
        columns = {name: tuple(float(row[name]) if row[name] else None for row in rows) for name in names}
    except (KeyError, ValueError, TypeError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path}: not a log of epochs ({error!r}); remove it to train the stage anew") from error
    return Log(path.stem, epochs, columns)
