"""Training that is scored, stopped, killed and taken up again, on a network of a few numbers."""

import csv
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from trainer.errors import CheckpointError, RecipeError, Stopped
from trainer.recipe.run_dir import RunDir
from trainer.training import checkpoint
from trainer.training.checkpoint import Best, KeepBest, MetricsCsv, Resume

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
"""Keras 3.15 writes weights as NumPy 1 had it."""

KILL = -1.0
"""A score at which the process is lost: nothing of that epoch is kept."""


class Killed(Exception):
    """Stands for the kill."""


class Numbers(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no stubs
    """Some batches an epoch, drawn by the epoch's number."""

    def __init__(self, excess: float, count: int = 3, stop_in: int = 0) -> None:
        """Ask the process to end as soon as a batch of epoch `stop_in`, counted from 1, is drawn."""
        super().__init__(workers=1)
        self.epoch, self.excess, self.count, self.stop_in = 0, excess, count, stop_in

    def __len__(self) -> int:
        return self.count

    def on_epoch_begin(self) -> None:
        self.epoch += 1

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if self.stop_in and self.epoch == self.stop_in:
            self.stop_in = 0
            os.kill(os.getpid(), signal.SIGTERM)
        inputs = np.random.default_rng((self.epoch, index)).normal(size=(8, 3)).astype(np.float32)
        return inputs, inputs @ np.array([[1.0], [-2.0], [0.5]], np.float32) + self.excess


def scores(each: list[float]) -> Callable[[], dict[str, float]]:
    """Return a measure that answers these scores in turn."""
    left = iter(each)

    def measure() -> dict[str, float]:
        score = next(left)
        if score == KILL:
            raise Killed
        return {"cider": score}

    return measure


def train(folder: Path, measured: list[float], *, epochs: int = 4, patience: int = 9, **how: Any) -> Any:
    """Train as a stage of a run, scored by `measured`, and return the network."""
    keras.utils.set_random_seed(11)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(how.get("width", 1), name="sum")])
    rate = keras.optimizers.schedules.CosineDecay(0.1, 4 * how.get("count", 3))
    model.compile(keras.optimizers.AdamW(rate, use_ema=True, ema_momentum=0.9), "mse")
    folder.mkdir(exist_ok=True)
    run = RunDir(folder)
    keep = KeepBest(
        run.captioner, scores(measured), monitor="cider", patience=patience, validation=how.get("validation")
    )
    batches = Numbers(how.get("excess", 0.0), how.get("count", 3), how.get("stop_in", 0))
    checkpoint.fit(model, batches, run, "captioner", keep, epochs=epochs)
    return model


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "captioner.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_epoch_has_its_line_and_tensorboard_its_events(tmp_path: Path) -> None:
    train(tmp_path, [0.1, 0.2, 0.3, 0.4])

    assert [row["epoch"] for row in rows(tmp_path)] == ["0", "1", "2", "3"]
    assert [float(row["val_cider"]) for row in rows(tmp_path)] == [0.1, 0.2, 0.3, 0.4]
    losses = [float(row["loss"]) for row in rows(tmp_path)]
    assert losses[-1] < losses[0]
    assert list((tmp_path / "tensorboard" / "captioner" / "train").glob("events.*"))


def test_a_killed_training_goes_on_and_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    unbroken = train(tmp_path / "unbroken", [0.1, 0.2, 0.3, 0.4])

    with pytest.raises(Killed):
        train(tmp_path / "broken", [0.1, 0.2, KILL])
    resumed = train(tmp_path / "broken", [0.3, 0.4])

    assert [row["epoch"] for row in rows(tmp_path / "broken")] == ["0", "1", "2", "3"]
    for row, duplicates in zip(rows(tmp_path / "broken"), rows(tmp_path / "unbroken"), strict=True):
        assert float(row["loss"]) == pytest.approx(float(duplicates["loss"]), rel=1e-4)
    for weights, same_weights in zip(resumed.get_weights(), unbroken.get_weights(), strict=True):
        np.testing.assert_allclose(weights, same_weights, rtol=1e-4)
    assert int(resumed.optimizer.iterations) == int(unbroken.optimizer.iterations) == 12


def test_a_training_that_is_asked_to_end_goes_on_at_that_very_step(tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGTERM)
    unbroken = train(tmp_path / "unbroken", [0.1, 0.2], epochs=2, count=200)

    with pytest.raises(Stopped, match=r"epoch 1 after \d+ of 200 steps"):
        train(tmp_path / "broken", [0.1], epochs=2, count=200, stop_in=2)
    kept = Resume(tmp_path / "broken" / "backup" / "captioner")
    assert kept.epochs == 1
    assert 0 < kept.steps < 200
    resumed = train(tmp_path / "broken", [0.2], epochs=2, count=200)

    for weights, same_weights in zip(resumed.get_weights(), unbroken.get_weights(), strict=True):
        np.testing.assert_allclose(weights, same_weights, rtol=1e-4)
    assert int(resumed.optimizer.iterations) == int(unbroken.optimizer.iterations) == 400
    assert [row["epoch"] for row in rows(tmp_path / "broken")] == ["0", "1"]
    assert signal.getsignal(signal.SIGTERM) == handler


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    train(tmp_path, [0.1, 0.2, 0.3, 0.4])
    before = rows(tmp_path)

    train(tmp_path, [])

    assert rows(tmp_path) == before


def test_a_training_that_stopped_early_stays_finished(tmp_path: Path) -> None:
    train(tmp_path, [0.1, 0.5, 0.2, 0.3], epochs=10, patience=2)
    before = rows(tmp_path)

    train(tmp_path, [], epochs=10, patience=2)

    assert len(before) == 4
    assert rows(tmp_path) == before


def test_more_epochs_than_before_are_added(tmp_path: Path) -> None:
    train(tmp_path, [0.1, 0.2], epochs=2)
    train(tmp_path, [0.3], epochs=3)

    assert [float(row["val_cider"]) for row in rows(tmp_path)] == [0.1, 0.2, 0.3]


def test_the_best_epoch_is_kept_with_its_score(tmp_path: Path) -> None:
    train(tmp_path, [0.1, 0.3, 0.2, 0.25])

    best = checkpoint.read_best(RunDir(tmp_path).captioner)
    assert best == checkpoint.Best(1, 0.3, {"cider": 0.3})


def test_the_kept_weights_are_the_averaged_ones_and_training_goes_on_with_the_others(tmp_path: Path) -> None:
    model = train(tmp_path, [0.1], epochs=1)
    raw = model.get_layer("sum").get_weights()
    model.load_weights(RunDir(tmp_path).captioner)
    kept = model.get_layer("sum").get_weights()
    model.load_weights(Resume(tmp_path / "backup" / "captioner").kept)

    averages = [np.asarray(average) for average in model.optimizer._model_variables_moving_average]
    for weights, average in zip(kept, averages, strict=True):
        np.testing.assert_allclose(weights, average, rtol=1e-5)
    assert not np.allclose(model.get_layer("sum").get_weights()[0], kept[0])
    assert raw[0].shape == kept[0].shape


def test_a_resumed_run_knows_what_to_beat(tmp_path: Path) -> None:
    train(tmp_path, [0.9, 0.2], epochs=2)
    before = RunDir(tmp_path).captioner.read_bytes()

    train(tmp_path, [0.8, 0.7])

    assert RunDir(tmp_path).captioner.read_bytes() == before


def test_only_the_last_whole_epoch_is_kept_to_resume_from(tmp_path: Path) -> None:
    train(tmp_path, [0.1, 0.2, 0.3, 0.4])

    assert [path.name for path in (tmp_path / "backup" / "captioner").iterdir()] == ["epoch-00004.weights.h5"]


def test_a_half_written_state_is_not_resumed_from(tmp_path: Path) -> None:
    train(tmp_path, [0.1, 0.2], epochs=2)
    (tmp_path / "backup" / "captioner" / "new.weights.h5").write_bytes(b"half")

    train(tmp_path, [0.3, 0.4])

    assert [row["epoch"] for row in rows(tmp_path)] == ["0", "1", "2", "3"]


def test_the_state_of_another_recipe_is_refused_by_name(tmp_path: Path) -> None:
    train(tmp_path, [0.1, 0.2], epochs=2)

    with pytest.raises(
        CheckpointError, match=r"epoch-00002\.weights\.h5: of another recipe; remove .*captioner to begin"
    ):
        train(tmp_path, [0.3, 0.4], width=2)


def test_a_loss_that_is_no_number_stops_before_anything_is_kept(tmp_path: Path) -> None:
    train(tmp_path, [0.1], epochs=1)
    kept = RunDir(tmp_path).captioner.read_bytes()

    with pytest.raises(RecipeError, match=r"epoch 1: loss is (nan|inf); lower the stage's learning_rate"):
        train(tmp_path, [0.9], excess=float("inf"))

    assert RunDir(tmp_path).captioner.read_bytes() == kept
    assert Resume(tmp_path / "backup" / "captioner").epochs == 1
    assert len(rows(tmp_path)) == 1


def test_an_epoch_trained_again_replaces_its_line(tmp_path: Path) -> None:
    path = tmp_path / "losses.csv"
    for epoch, loss in ((0, 3.0), (1, 2.0)):
        MetricsCsv(path).on_epoch_end(epoch, {"loss": loss})

    again = MetricsCsv(path)
    again.on_epoch_end(1, {"loss": 1.5, "val_cider": 0.1})
    again.on_epoch_end(2, {"loss": np.float32(1.25), "val_cider": 0.2})

    assert path.read_text().splitlines() == ["epoch,loss,val_cider", "0,3.0,", "1,1.5,0.1", "2,1.25,0.2"]


def test_a_damaged_score_is_named(tmp_path: Path) -> None:
    (tmp_path / "captioner.weights.json").write_text(json.dumps({"epoch": 1}))

    with pytest.raises(CheckpointError, match=r"captioner\.weights\.json: .*; remove it and captioner\.weights\.h5"):
        checkpoint.read_best(tmp_path / "captioner.weights.h5")


def test_while_the_score_is_nothing_the_validation_loss_decides(tmp_path: Path) -> None:
    """A captioner of few images says nothing right for long; its first epoch is not its best for that."""
    train(tmp_path / "first", [0.0], epochs=1, count=20, validation=Numbers(0.0))
    train(tmp_path / "all", [0.0, 0.0, 0.0, 0.0], count=20, validation=Numbers(0.0))

    best, early = (checkpoint.read_best(RunDir(tmp_path / name).captioner) for name in ("all", "first"))
    assert best is not None
    assert early is not None
    assert best.epoch > 0
    assert best.loss is not None
    assert early.loss is not None
    assert best.loss < early.loss


def test_a_score_above_nothing_beats_any_loss() -> None:
    silent, speaking = Best(0, 0.0, {}, loss=0.1), Best(1, 0.01, {}, loss=9.0)

    assert speaking.rank > silent.rank > Best(2, 0.0, {}, loss=0.2).rank


@pytest.mark.parametrize(
    ("measured", "epochs", "said"),
    [
        ([0.1, 0.3, 0.2, 0.2], 9, "stopped early after 4 of 9 epochs, 2 of them without a better one; the best was 1"),
        ([0.1, 0.3], 2, "all 2 epochs done; the best was 1 (cider 0.300)"),
    ],
)
def test_why_training_ended_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], measured: list[float], epochs: int, said: str
) -> None:
    train(tmp_path, measured, epochs=epochs, patience=2)

    assert f"captioner: {said}" in capsys.readouterr().err


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs to be root, to mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_weights_that_do_not_fit_on_the_disk_leave_the_old_ones_whole(full_disk: Path) -> None:
    path = full_disk / "captioner.weights.h5"
    small = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    large = keras.Sequential([keras.Input((300,)), keras.layers.Dense(200)])
    checkpoint.save_weights(small, path)
    before = path.read_bytes()

    with pytest.raises(OSError, match="No space left on device"):
        checkpoint.save_weights(large, path)

    assert path.read_bytes() == before
    assert list(full_disk.iterdir()) == [path]
