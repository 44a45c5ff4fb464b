"""Several replicas take the steps that one would: two logical devices, and two workers on the loopback."""

import csv
import json
import math
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]  # it has no stubs
import pytest

from foundation import yaml_file
from testing.preloaded import Program
from tests.trainer import small_data
from tests.trainer.workstation import ENVIRONMENT, preloaded
from trainer import distribution
from trainer.data import prepare
from trainer.errors import OperatorError, RecipeError
from trainer.recipe import recipe as recipes
from trainer.recipe.run_dir import RunDir
from trainer.training.stages import captioner

TRAINING = {
    "epochs": 3,
    "batch_size": 4,
    "captions_per_image": 2,
    "learning_rate": 2.0e-2,
    "clip_norm": 0.5,
    "ema_momentum": 0.9,
    "score_images": 4,
    "patience": 9,
}
"""Two steps an epoch, all of them clipped."""

TOLERANCE = 2e-4
"""Relative; sums in another order."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recipe and its images, already encoded under `encoded`."""
    folder = tmp_path_factory.mktemp("replicas")
    recipe = small_data.recipe(folder, training=TRAINING, self_critical={"epochs": 1, "batch_size": 4, "samples": 2})
    captioner.load_features(recipe, prepare.gather(recipe), RunDir(folder / "encoded"))
    return folder


@pytest.fixture(scope="module")
def alone(data: Path) -> Path:
    """The run of one replica."""
    return trained(data, "alone", "1", "none")


def start(data: Path, name: str, *arguments: str, **environment: str) -> Program:
    """Start a training whose features are those of `data`."""
    folder = data / name
    if not folder.exists():
        shutil.copytree(data / "encoded", folder)
    return preloaded().start(
        "tests.trainer.replicas:console",
        [str(data / "recipe.yaml"), str(folder), *arguments],
        environment=os.environ | ENVIRONMENT | environment,
    )


def trained(data: Path, name: str, *arguments: str) -> Path:
    """Train the captioner to its end, which must succeed."""
    with start(data, name, *arguments, "captioner") as process:
        said = "".join(process.communicate())
    assert process.returncode == 0, said[-3000:]
    return data / name


def losses(folder: Path, stage: str = "captioner") -> dict[str, list[float]]:
    """Return the columns of a log."""
    path = folder / f"{stage}.csv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def ports(count: int) -> list[int]:
    """Ask for free ports of the loopback."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def workers(data: Path, name: str, *stages: str, **environment: str) -> Iterator[Program]:
    """Start two workers that train together, the chief first."""
    addresses = [f"127.0.0.1:{port}" for port in ports(2)]
    for index in range(2):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        yield start(data, name, "1", "workers", *stages, TF_CONFIG=json.dumps(task), **environment)


def test_two_devices_end_where_one_does(data: Path, alone: Path) -> None:
    mirrored = trained(data, "mirrored", "2", "mirrored")

    one, two = losses(alone), losses(mirrored)
    assert one["loss"][-1] < one["loss"][0]
    assert two["loss"] == pytest.approx(one["loss"], rel=TOLERANCE)
    assert two["val_loss"] == pytest.approx(one["val_loss"], rel=TOLERANCE)
    assert two["val_cider"] == pytest.approx(one["val_cider"], rel=TOLERANCE)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # Keras 3.15's
def test_half_precision_scales_its_loss_and_goes_on_with_the_scale(data: Path) -> None:
    training = {**TRAINING, "epochs": 1, "mixed_precision": "float16", "ema_momentum": 0.5}
    document = yaml_file.read(data / "recipe.yaml")
    half = recipes.of(replace(document, tree={**document.tree, "training": training}))
    shutil.copytree(data / "encoded", data / "half")
    prepared, run = prepare.gather(half), RunDir(data / "half")

    captioner.train(half, prepared, run)
    captioner.train(captioner.changed(half, training={"epochs": 2}), prepared, run)

    assert all(math.isfinite(loss) for loss in losses(run.folder)["loss"])
    assert losses(run.folder)["epoch"] == [0, 1]
    with h5py.File(next(run.backup("captioner").glob("*.h5"))) as state:
        scale, steps = (float(state["optimizer/vars"][name][()]) for name in ("3", "2"))
    assert (scale, steps) == (2.0**15, 4)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_workers_end_where_one_does_and_the_chief_alone_writes(data: Path, alone: Path) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(each) for each in workers(data, "workers", "captioner", "self-critical")]
        said = [process.communicate()[1] for process in processes]

    assert [process.returncode for process in processes] == [0, 0], said[0][-2000:] + said[1][-2000:]
    one, two = losses(alone), losses(data / "workers")
    assert two["loss"] == pytest.approx(one["loss"], rel=TOLERANCE)
    assert two["val_loss"] == pytest.approx(one["val_loss"], rel=TOLERANCE)
    assert len(list((data / "workers" / "tensorboard" / "captioner" / "train").glob("events.*"))) == 1
    assert len(losses(data / "workers", "self-critical")["policy"]) == 1


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_when_a_worker_is_lost_the_others_ask_to_be_started_again(data: Path) -> None:
    with ExitStack() as stack:
        started = workers(data, "lost", "captioner", WAIT_SECONDS="0.5")
        chief, other = (stack.enter_context(each) for each in started)
        while not list((data / "lost" / "backup" / "captioner").glob("epoch-*.h5")):
            assert chief.poll() is None, chief.communicate()[1][-2000:]
            time.sleep(0.05)
        other.kill()
        said = "".join(chief.communicate())

    assert chief.returncode == 75, said[-3000:]
    assert len(list((data / "lost" / "backup" / "captioner").glob("epoch-*.h5"))) == 1


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("request_", "code"),
    [pytest.param(signal.SIGTERM, 75, id="asked to end"), pytest.param(signal.SIGKILL, -9, id="killed")],
)
def test_a_stopped_training_ends_where_an_unbroken_one_does(
    data: Path, alone: Path, request_: signal.Signals, code: int
) -> None:
    name = f"stopped-{request_.name}"
    with start(data, name, "1", "none", "captioner", WAIT_SECONDS="0.5") as process:
        while "loss" not in losses(data / name):
            assert process.poll() is None, process.communicate()[1][-2000:]
            time.sleep(0.05)
        process.send_signal(request_)
        said = "".join(process.communicate())
    assert process.returncode == code, said[-2000:]
    assert len(losses(data / name)["loss"]) < TRAINING["epochs"]

    resumed = trained(data, name, "1", "none")

    one, two = losses(alone), losses(resumed)
    assert two["epoch"] == one["epoch"]
    assert two["val_loss"] == pytest.approx(one["val_loss"], rel=TOLERANCE)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_devices_tune_on_rewards_too(data: Path) -> None:
    trained(data, "tuned", "2", "mirrored")
    with start(data, "tuned", "2", "mirrored", "self-critical") as process:
        said = "".join(process.communicate())

    assert process.returncode == 0, said[-3000:]
    assert len(losses(data / "tuned", "self-critical")["policy"]) == 1


def test_a_batch_that_cannot_be_shared_out_is_refused_with_what_would_be_right() -> None:
    class Three:
        num_replicas_in_sync = 3

    with pytest.raises(RecipeError, match=r"training\.batch_size: 32 images cannot be shared by 3 replicas; say 33"):
        distribution.Replicas(Three()).check(32, "training.batch_size")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(None, "TF_CONFIG: Input data was truncated", id="not set"),
        pytest.param("{", "TF_CONFIG: Input data was truncated", id="no JSON"),
        pytest.param('{"cluster": {"worker": ["a:1"]}}', "TF_CONFIG: .*`task`", id="no task"),
        pytest.param(
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
            "no worker 1",
            id="no such worker",
        ),
    ],
)
def test_a_wrong_cluster_is_named_with_an_example(
    monkeypatch: pytest.MonkeyPatch, text: str | None, complaint: str
) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)

    with pytest.raises(OperatorError, match=complaint):
        distribution.find("workers")


def test_one_replica_needs_no_agreement() -> None:
    def measure() -> dict[str, float]:
        return {"cider": 0.5}

    agreed: Any = distribution.SINGLE_REPLICA.agreed(measure)

    assert agreed is measure
    assert distribution.SINGLE_REPLICA.chief_first(lambda: 7) == 7
