"""Runs the stages of a training in their order."""

from collections.abc import Collection
from typing import Final

from trainer.training.stage import Context, Stage
from trainer.training.stages import (
    captioner,
    detector,
    hazard_classifier,
    joint_finetuning,
    phrase_predictor,
    self_critical,
)

STAGES: Final[tuple[Stage, ...]] = (
    captioner.STAGE,
    detector.STAGE,
    joint_finetuning.STAGE,
    self_critical.STAGE,
    hazard_classifier.STAGE,
    phrase_predictor.STAGE,
)
"""Every stage; each comes after those that it needs."""


def train(context: Context, only: Collection[str] = ()) -> None:
    """Run the stages that the recipe asks for, or of these only some, and wait for every worker at the end.

    Raises what a stage raises: `OperatorError`, `Stopped`, or `OSError` for a full disk or a lost worker.
    """
    for stage in STAGES:
        is_mine = stage.is_shared or context.replicas.chief
        if is_mine and (not only or stage.name in only) and stage.is_wanted(context) and not stage.is_done(context):
            stage.run(context)
    context.replicas.wait()  # a worker that leaves early would look like one that is lost
