"""Watches a training: scores it after each epoch, keeps the best weights, and says when to stop."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import msgspec

from trainer.errors import CheckpointError
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

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Score, save, and put the unaveraged weights back."""
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
        if epoch - self.best.epoch >= self.patience:
            self.model.stop_training = True

    def _save(self, best: Best) -> None:
        scratch = self.path.with_name(f"new-{self.path.name}")
        (self.saved or self.model).save_weights(scratch)
        scratch.replace(self.path)
        self.path.with_suffix(".json").write_bytes(msgspec.json.encode(best))


def usual(run: Run, stage: str, keep_best: KeepBest) -> list[Any]:
    """Give the callbacks of every stage: best weights, CSV of losses, TensorBoard, and resume after a kill."""
    return [
        keep_best,
        keras.callbacks.CSVLogger(run.log(stage), append=True),
        keras.callbacks.TensorBoard(run.board(stage), write_graph=False),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.BackupAndRestore(run.backup(stage), save_freq="epoch", delete_checkpoint=False),
    ]


def verbosity() -> int:
    """Choose a progress bar on a terminal, one line an epoch elsewhere."""
    return 1 if sys.stderr.isatty() else 2
