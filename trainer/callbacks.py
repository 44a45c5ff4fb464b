"""Watches a training: scores it after each epoch, keeps the best weights, and lets a killed run go on."""

import csv
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import msgspec

from trainer.errors import CheckpointError, RecipeError, first_line
from trainer.run import Run


class Best(msgspec.Struct, frozen=True):
    """The best epoch so far, kept beside its weights so that a resumed run knows what to beat."""

    epoch: int
    score: float
    metrics: dict[str, float]


def read_best(weights: Path) -> Best | None:
    """Read what stands beside a weights file; None before the first epoch."""
    path = weights.with_suffix(".json")
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Best)
    except msgspec.DecodeError as error:
        raise CheckpointError(f"{path}: {error}; remove it and {weights.name} to train again") from error


class KeepBest(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no stubs
    """Scores the averaged weights after each epoch, saves them where they are the best yet, stops without progress."""

    def __init__(
        self, path: Path, measure: Callable[[], dict[str, float]], *, monitor: str, patience: int, saved: Any = None
    ) -> None:
        """Save `saved`, or else the model that trains, to `path` when `measure` gives a higher `monitor`."""
        super().__init__()
        self.path, self.measure, self.monitor, self.patience = path, measure, monitor, patience
        self.saved = saved
        self.best = read_best(path)

    def has_settled(self, epochs: int) -> bool:
        """Say whether training stops after so many epochs, because the best is long past."""
        return self.best is not None and epochs - 1 - self.best.epoch >= self.patience

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Score, save, and put the unaveraged weights back; raises `RecipeError` where a loss is no number."""
        for name, value in (logs or {}).items():
            if not math.isfinite(float(value)):
                raise RecipeError(f"epoch {epoch}: {name} is {float(value)}; lower the stage's learning_rate and go on")
        raw = self.model.get_weights()
        if self.model.optimizer.use_ema:
            self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
        metrics = self.measure()
        if logs is not None:
            logs.update({f"val_{name}": value for name, value in metrics.items()})
        if self.best is None or metrics[self.monitor] > self.best.score:
            self.best = Best(epoch, metrics[self.monitor], metrics)
            self._save(self.best)
        self.model.set_weights(raw)
        if self.has_settled(epoch + 1):
            self.model.stop_training = True

    def _save(self, best: Best) -> None:
        scratch = self.path.with_name(f"new-{self.path.name}")
        (self.saved or self.model).save_weights(scratch)
        scratch.replace(self.path)
        figures = scratch.with_suffix(".json")
        figures.write_bytes(msgspec.json.encode(best))
        figures.replace(self.path.with_suffix(".json"))


class Losses(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no stubs
    """Writes losses and metrics as CSV; the line of an epoch that had to be trained again replaces the old one."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the file anew, so that it is whole at any instant."""
        values = {name: float(value) for name, value in sorted((logs or {}).items())}
        rows = [*self._before(epoch), {"epoch": epoch, **values}]
        columns = dict.fromkeys(name for row in rows for name in row)
        scratch = self.path.with_suffix(".new")
        with scratch.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(columns))
            writer.writeheader()
            writer.writerows(rows)
        scratch.replace(self.path)

    def _before(self, epoch: int) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        with self.path.open(encoding="utf-8", newline="") as stream:
            return [row for row in csv.DictReader(stream) if int(row["epoch"]) < epoch]


class Resume(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no stubs
    """Keeps weights, averages and optimizer of the last whole epoch, in one file that is named by it.

    Keras's `BackupAndRestore` overwrites the weights and then, in another file, the epoch: a kill in between leaves
    two that do not belong together, or half a file.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.kept = max(folder.glob("epoch-*.weights.h5"), default=None)

    @property
    def epochs(self) -> int:
        """Whole epochs done so far."""
        return int(self.kept.name.partition(".")[0].removeprefix("epoch-")) if self.kept else 0

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002 - Keras passes it
        """Take up where the last run was; raises `CheckpointError` where that was another recipe's."""
        if self.kept is None:
            return
        self.model.optimizer.build(self.model.trainable_variables)
        try:
            self.model.load_weights(self.kept)
        except (ValueError, OSError) as error:
            raise CheckpointError(
                f"{self.kept}: of another recipe; remove {self.folder} to begin anew: {first_line(error)}"
            ) from error

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras passes it
        """Save, and only then let go of the epoch before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        scratch, old = self.folder / "new.weights.h5", self.kept
        self.model.save_weights(scratch)
        self.kept = scratch.replace(self.folder / f"epoch-{epoch + 1:05}.weights.h5")
        if old is not None and old != self.kept:
            old.unlink()


class Reseed(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no stubs
    """Tells the batches which epoch it is, so that a resumed run draws what an unbroken one would."""

    def __init__(self, batches: Any) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras passes it
        """Set the number from which Keras's own call then counts on."""
        self.batches.epoch = epoch


def fit(  # noqa: PLR0913 - Keras's own takes more
    model: Any, batches: Any, run: Run, stage: str, keep_best: KeepBest, *, epochs: int, **more: Any
) -> None:
    """Train a stage to its end: a killed one goes on after its last whole epoch, a finished one returns at once."""
    resume = Resume(run.backup(stage))
    if resume.epochs >= epochs or keep_best.has_settled(resume.epochs):
        return
    board = keras.callbacks.TensorBoard(run.board(stage), write_graph=False)
    watching = [Reseed(batches), keep_best, Losses(run.log(stage)), board, resume]
    # The batches draw their own order from the seed; Keras would shuffle them again, differently after a resume.
    span = {"initial_epoch": resume.epochs, "epochs": epochs}
    model.fit(batches, **span, shuffle=False, callbacks=watching, verbose=verbosity(), **more)


def verbosity() -> int:
    """Choose a progress bar on a terminal, one line an epoch elsewhere."""
    return 1 if sys.stderr.isatty() else 2
