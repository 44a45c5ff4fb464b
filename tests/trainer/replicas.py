"""A small captioner trained in a process of its own, with the arguments RECIPE RUN DEVICES KIND STAGE...

With WAIT_SECONDS in the environment each batch takes so long to draw, for a test to come in between.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

import tensorflow as tf

from trainer import distribution
from trainer.data import prepare
from trainer.errors import Stopped
from trainer.recipe import recipe as recipes
from trainer.recipe.run_dir import RunDir
from trainer.training import checkpoint
from trainer.training.stages import captioner, self_critical


class Slow(checkpoint.RemainingBatches):
    """Batches that take their time."""

    def __getitem__(self, index: int) -> Any:
        time.sleep(float(os.environ["WAIT_SECONDS"]))
        return super().__getitem__(index)


def main(recipe_path: str, folder: str, devices: str, kind: Any, *stages: str) -> int:
    """Train the stages."""
    one = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [one] * int(devices))
    if "WAIT_SECONDS" in os.environ:
        checkpoint.RemainingBatches = Slow  # type: ignore[misc]  # this process is the test's own
    replicas = distribution.find(kind)
    recipe = recipes.load(Path(recipe_path))
    prepared, run = prepare.gather(recipe), RunDir(Path(folder))
    run.folder.mkdir(parents=True, exist_ok=True)
    try:
        for stage in stages:
            {"captioner": captioner, "self-critical": self_critical}[stage].train(recipe, prepared, run, replicas)
    except (Stopped, ConnectionError):
        return 75
    replicas.wait()
    return 0


def console() -> int:
    """Train as the arguments say."""
    return main(*sys.argv[1:])
