"""Callbacks of a training: score each epoch, keep the best weights, resume a killed run."""

import contextlib
import csv
import errno
import math
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import keras
import msgspec
import numpy as np

from trainer.distribution import SINGLE_REPLICA, Replicas, failing_together
from trainer.errors import CheckpointError, RecipeError, Stopped, first_line
from trainer.recipe.run_dir import RunDir

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
"""Files in memory, where the system has them."""


class Best(msgspec.Struct, frozen=True):
    """The best epoch so far, stored beside its weights, for a resumed run."""

    epoch: int
    score: float
    metrics: dict[str, float]
    loss: float | None = None
    """Validation loss, by which epochs are compared while their score is 0; None where none was measured."""

    @property
    def rank(self) -> tuple[float, float]:
        """Sort key of epochs: the loss decides while the score is 0, as a caption metric says nothing then."""
        return (self.score, 0.0) if self.score > 0 or self.loss is None else (0.0, -self.loss)


def read_best(weights: Path) -> Best | None:
    """Return the best epoch stored beside a weights file; None before the first epoch."""
    path = weights.with_suffix(".json")
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Best)
    except msgspec.DecodeError as error:
        raise CheckpointError(f"{path}: {error}; remove it and {weights.name} to train again") from error


class KeepBest(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no stubs
    """Scores the averaged weights after each epoch, saves them where they are the best yet, stops without progress."""

    def __init__(  # noqa: PLR0913 - what to score, by what, and where to keep it
        self,
        path: Path,
        measure: Callable[[], dict[str, float]],
        *,
        monitor: str,
        patience: int,
        saved: Any = None,
        validation: Any = None,
    ) -> None:
        """Save `saved`, or else the model that trains, to `path` when `measure` returns a higher `monitor`.

        While that is 0, epochs are compared by the `loss` that `measure` returns, or else by the model's on the
        batches `validation`.
        """
        super().__init__()
        self.path, self.measure, self.monitor, self.patience = path, measure, monitor, patience
        self.validation = validation
        self.saved = saved
        self.writes = True
        """False for a worker whose chief keeps the files."""
        self.compares_loss = True
        """False beside other workers, each of which would decide by a loss of its own."""
        self.best = read_best(path)

    def summary(self, epochs: int, wanted: int) -> str:
        """Return in one sentence why training ended after so many epochs of those wanted, and which was the best."""
        if self.best is None:
            return f"ended after {epochs} epochs"
        by = f"{self.monitor} {self.best.score:.3f}"
        if self.best.score <= 0 and self.best.loss is not None:
            by = f"validation loss {self.best.loss:.3f}, as {self.monitor} was 0 throughout"
        best = f"the best was {self.best.epoch} ({by})" if self.best.epoch >= 0 else "none was better than before"
        if epochs >= wanted:
            return f"all {wanted} epochs done; {best}"
        return f"stopped early after {epochs} of {wanted} epochs, {self.patience} of them without a better one; {best}"

    def is_out_of_patience(self, epochs: int) -> bool:
        """Return whether training stops early after so many epochs."""
        return self.best is not None and is_out_of_patience(self.best, epochs, self.patience)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Score and save the averaged weights; raises `RecipeError` where a loss is not finite."""
        for name, value in (logs or {}).items():
            if not math.isfinite(float(value)):
                raise RecipeError(f"epoch {epoch}: {name} is {float(value)}; lower the stage's learning_rate and go on")
        raw = self.model.get_weights()
        self.model.optimizer.finalize_variable_values(self.model.trainable_variables)  # nothing where none are averaged
        metrics = self.measure()
        if logs is not None:
            logs.update({f"val_{name}": value for name, value in metrics.items()})
        loss = metrics.get("loss", self._loss()) if metrics[self.monitor] <= 0 else None
        found = Best(epoch, metrics[self.monitor], metrics, loss)
        if self.best is None or found.rank > self.best.rank:
            self.best = found
            self._save(found)
        self.model.set_weights(raw)
        if self.is_out_of_patience(epoch + 1):
            self.model.stop_training = True

    def _loss(self) -> float | None:
        """Return the loss of the averaged weights; None where there is nothing to measure it on."""
        if self.validation is None or not self.compares_loss:
            return None
        return float(self.model.evaluate(self.validation, verbose=0, return_dict=True)["loss"])

    def _save(self, best: Best) -> None:
        save_weights(self.saved or self.model, self.path, kept=self.writes)
        if self.writes:
            write_bytes(msgspec.json.encode(best), self.path.with_suffix(".json"))


class MetricsCsv(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no stubs
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

    Asked to stop in the middle of an epoch, it keeps those of the last step too. Keras's `BackupAndRestore` overwrites
    the weights and then, in another file, the epoch: a kill in between leaves two that do not belong together, or half
    a file.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.writes = True
        """False for a worker whose chief keeps the files."""
        self.alone = True
        """False beside other workers, whose next step waits for this one: they all go back to the last whole epoch."""
        self.asked = False
        """Whether to stop after this step."""
        self.kept = max(folder.glob("epoch-*.weights.h5"), default=None, key=_done)
        self.epoch, self.begun, self.length = self.epochs, self.steps, 0

    @property
    def epochs(self) -> int:
        """Whole epochs done so far."""
        return _done(self.kept)[0] if self.kept else 0

    @property
    def steps(self) -> int:
        """Steps done of the epoch that comes next."""
        return _done(self.kept)[1] if self.kept else 0

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002 - Keras passes it
        """Restore the last state; raises `CheckpointError` where it is of another recipe."""
        if not self.model.optimizer.built:  # replicas cannot make its variables in the middle of a step
            self.model.optimizer.build(self.model.trainable_variables)
        if self.kept is None:
            return
        try:
            self.model.load_weights(self.kept)
        except (ValueError, OSError) as error:
            raise CheckpointError(
                f"{self.kept}: of another recipe; remove {self.folder} to begin anew: {first_line(error)}"
            ) from error

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras passes it
        """Note where the steps are counted from."""
        self.epoch, self.begun = epoch, self.steps

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras passes it
        """Stop where asked to: raises `Stopped`, with the state of this very step saved if possible."""
        steps = self.begun + batch + 1
        if self.asked and steps < self.length:
            if self.alone:
                self._save(f"epoch-{self.epoch:05}-step-{steps:06}")
            raise Stopped(f"epoch {self.epoch} after {steps} of {self.length} steps")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras passes it
        """Save, and only then delete the state before; raises `Stopped` where asked to stop."""
        self._save(f"epoch-{epoch + 1:05}")
        if self.asked:
            raise Stopped(f"epoch {epoch} at its end")

    def _save(self, name: str) -> None:
        kept = self.folder / f"{name}.weights.h5"
        self.folder.mkdir(parents=True, exist_ok=True)
        save_weights(self.model, kept, kept=self.writes)
        if self.writes and self.kept is not None and self.kept != kept:
            self.kept.unlink()
        self.kept = kept

    @contextlib.contextmanager
    def on_request(self) -> Iterator[None]:
        """Stop the training inside after its step on SIGTERM, which a host sends before it ends."""

        def ask(*_: Any) -> None:
            self.asked = True

        before = signal.signal(signal.SIGTERM, ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)


def save_weights(network: Any, path: Path, *, kept: bool = True) -> None:
    """Write a network's weights to `path`, whole or not at all; raises `OSError` where the disk is full.

    HDF5 ends the process (SIGSEGV) when the disk fills up under it, so it writes where there is room for certain, in
    memory if possible, and Python writes to the disk. Every worker must call it, as some variables are read by asking
    all of them; what is not `kept` is thrown away.
    """
    size = _stored_bytes(network)
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2 * size
    if not in_memory and shutil.disk_usage(path.parent).free < 2 * size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    with tempfile.TemporaryDirectory(dir=MEMORY if in_memory else path.parent) as folder:
        written = Path(folder) / "weights.weights.h5"
        network.save_weights(written)
        if kept:
            write_bytes(written.read_bytes(), path)


def _stored_bytes(network: Any) -> int:
    """Return an upper bound of the bytes that a network's weights, averages and optimizer take on disk."""
    variables = [*network.variables, *(network.optimizer.variables if getattr(network, "optimizer", None) else ())]
    numbers = sum(math.prod(variable.shape) * np.dtype(variable.dtype).itemsize for variable in variables)
    return int(numbers) + 4096 * (len(variables) + 256)


def write_bytes(content: bytes, path: Path) -> None:
    """Replace a file, whole or not at all, also after a power cut; raises `OSError` where the disk is full."""
    scratch = path.with_name(f"new-{path.name}")
    try:
        with scratch.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        scratch.unlink(missing_ok=True)  # half a file would keep the disk full
        raise
    scratch.replace(path)


def _done(path: Path) -> tuple[int, int]:
    """Return the whole epochs, and the steps after them, that a state's file name tells."""
    epochs, _, steps = path.name.partition(".")[0].removeprefix("epoch-").partition("-step-")
    return int(epochs), int(steps or 0)


class RemainingBatches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no stubs
    """The remaining batches of an epoch after some steps."""

    def __init__(self, batches: Any, steps: int) -> None:
        super().__init__(workers=1)
        self.batches, self.steps = batches, steps

    def __len__(self) -> int:
        return max(1, len(self.batches) - self.steps)

    def __getitem__(self, index: int) -> Any:
        return self.batches[self.steps + index]

    def on_epoch_begin(self) -> None:
        """Pass it on."""
        self.batches.on_epoch_begin()


class EpochCounter(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no stubs
    """Sets the epoch of the batches, so that a resumed run draws what an unbroken one would."""

    def __init__(self, batches: Any) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras passes it
        """Set the number from which Keras's own call then counts on."""
        self.batches.epoch = epoch


def is_finished(run: RunDir, stage: str, weights: Path, epochs: int, patience: int) -> bool:
    """Return whether a stage has trained all its epochs, or stopped early, and its best weights are there."""
    best, done = read_best(weights), Resume(run.backup(stage)).epochs
    if best is None or not weights.exists():
        return False
    return done >= epochs or is_out_of_patience(best, done, patience)


def is_out_of_patience(best: Best, epochs: int, patience: int) -> bool:
    """Return whether the best epoch is `patience` epochs or more behind the last of so many."""
    return epochs - 1 - best.epoch >= patience


def fit(  # noqa: PLR0913 - Keras's own takes more
    model: Any,
    batches: Any,
    run: RunDir,
    stage: str,
    keep_best: KeepBest,
    *,
    epochs: int,
    replicas: Replicas = SINGLE_REPLICA,
    **more: Any,
) -> None:
    """Train a stage to its end: a killed one goes on after its last whole epoch, a finished one returns at once.

    Stopped by SIGTERM it goes on after its last step, and that epoch's loss is then the mean of the steps left. Raises
    `Stopped`, or `ConnectionError` where another worker is gone.
    """
    resume, keep_best.measure = Resume(run.backup(stage)), replicas.agreed(keep_best.measure)
    resume.writes = keep_best.writes = replicas.chief
    resume.length, resume.alone = len(batches), replicas.workers == 1
    keep_best.compares_loss = replicas.workers == 1
    progress_bar: list[Any] = [EpochCounter(batches), keep_best]
    if replicas.chief:
        progress_bar += [MetricsCsv(run.log(stage)), keras.callbacks.TensorBoard(run.board(stage), write_graph=False)]
    while resume.epochs < epochs and not keep_best.is_out_of_patience(resume.epochs):
        span = {"initial_epoch": resume.epochs, "epochs": resume.epochs + 1 if resume.steps else epochs}
        # The batches draw their own order from the seed; Keras would shuffle them again, differently after a resume.
        how = {**span, "shuffle": False, "callbacks": [*progress_bar, resume], "verbose": verbosity(), **more}
        with replicas.scope(), failing_together(), resume.on_request():
            model.fit(RemainingBatches(batches, resume.steps), **how)
    if replicas.chief:
        sys.stderr.write(f"{stage}: {keep_best.summary(resume.epochs, epochs)}\n")


def ema_momentum(wanted: float, steps: int) -> float:
    """Return the momentum of a moving average of the weights over a training of so many steps, at most `wanted`.

    A short training's average must forget the weights that it began with: its window is half the steps.
    """
    return min(wanted, 1 - 2 / max(steps, 4))


def verbosity() -> int:
    """Choose a progress bar on a terminal, one line an epoch elsewhere."""
    return 1 if sys.stderr.isatty() else 2
