"""Trains the detector on cached features and measures its average precision."""

import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from trainer.data.example import BoxExample
from trainer.data.prepare import Prepared
from trainer.errors import CheckpointError, first_line
from trainer.models import detection_loss, detector
from trainer.recipe.recipe import Detector as Sizes
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import RunDir
from trainer.training import checkpoint, feature_cache
from trainer.training.augmentation import AugmentedImage
from trainer.training.feature_cache import FeatureRequest, Maps
from trainer.training.stage import Context, Stage
from trainer.training.stages import captioner

MAPS: Final = ("c3", "c4", "cells")

MAX_BOXES: Final = 16
"""True boxes of an image that training looks at; the largest stay."""

EMA_MOMENTUM: Final = 0.998
"""Momentum of the exponential moving average of the weights."""

SIDE: Final = 1000.0
"""Images are measured as squares of this side: shares become numbers that COCO's areas fit."""


@dataclass(frozen=True, slots=True)
class BoxFeatures:
    """Examples with their cached features, as taken and mirrored."""

    examples: Sequence[BoxExample]
    maps: tuple[Maps, ...]


class BoxBatches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no stubs
    """Batches (maps, truth): truth float32 [B, MAX_BOXES + 1, 6], whose last row says which classes are labelled."""

    def __init__(self, cached: BoxFeatures, recipe: Recipe, sizes: Sizes) -> None:
        super().__init__(workers=1)
        self.cached, self.sizes, self.seed = cached, sizes, recipe.seed
        self.truth = [
            np.stack([truth(example, sizes.classes, mirrored=mirrored) for example in cached.examples])
            for mirrored in (False, True)[: len(cached.maps)]
        ]
        self.epoch = -1
        self.rows: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self.on_epoch_begin()

    def __len__(self) -> int:
        steps = max(1, len(self.rows) // self.sizes.batch_size)
        return min(steps, self.sizes.max_steps) if self.sizes.max_steps else steps

    def on_epoch_begin(self) -> None:
        """Order the images of the next epoch."""
        self.epoch += 1
        self.rows = np.random.default_rng((self.seed, self.epoch)).permutation(len(self.cached.examples))

    def __getitem__(self, index: int) -> tuple[dict[str, Any], Any]:
        rows = self.rows[index * self.sizes.batch_size : (index + 1) * self.sizes.batch_size]
        versions = np.random.default_rng((self.seed, self.epoch, index)).integers(len(self.cached.maps), size=len(rows))
        chosen = list(zip(versions, rows, strict=True))
        maps = {name: np.stack([self.cached.maps[version][name][row] for version, row in chosen]) for name in MAPS}
        return maps, np.stack([self.truth[view][row] for view, row in chosen])


class Trainable(keras.Model):  # type: ignore[misc]  # keras has no stubs
    """The detector with its loss."""

    def __init__(self, network: Any, points: Any) -> None:
        super().__init__()
        self.network, self.points, self.labels = (
            network,
            tf.constant(points, tf.float32),
            network.output["odds"].shape[-1],
        )

    def call(self, maps: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return `boxes` and `odds`."""
        outputs: dict[str, Any] = self.network(maps, training=training)
        return outputs

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any) -> Any:  # noqa: ARG002
        """Take the truth of `BoxBatches` apart; the parameters' names are Keras's."""
        return detection_loss.loss(y[:, :-1, :5], y[:, -1, : self.labels], y_pred["boxes"], y_pred["odds"], self.points)


def load_features(recipe: Recipe, prepared: Prepared, run: RunDir) -> tuple[BoxFeatures, BoxFeatures]:
    """Return the boxed images with their features, encoding what is not on disk yet."""

    encoder = feature_cache.tuned(recipe.encoder, run)

    def encoded(name: str, examples: Sequence[BoxExample], *, mirrored: bool = False) -> Maps:
        images = [AugmentedImage(example.path, mirrored=mirrored) for example in examples]
        return feature_cache.cached(run.features, encoder, FeatureRequest(name, images, MAPS))

    maps = [encoded("boxes-train", prepared.boxes_train)]
    if recipe.encoder.flips:
        maps.append(encoded("boxes-train-mirrored", prepared.boxes_train, mirrored=True))
    val = BoxFeatures(prepared.boxes_val, (encoded("boxes-val", prepared.boxes_val),))
    return BoxFeatures(prepared.boxes_train, tuple(maps)), val


def build(sizes: Sizes, maps: Maps) -> Trainable:
    """Build the network for these maps, with its variables; see `detector.build`."""
    shapes = {name: values.shape[1:] for name, values in maps.items()}
    model = Trainable(detector.build(shapes, len(sizes.classes), sizes.width), detector.points(shapes["c3"]))
    model({name: np.zeros((1, *shape), np.float32) for name, shape in shapes.items()})
    return model


def load(sizes: Sizes, maps: Maps, run: RunDir) -> Any:
    """Build the network with the best weights of a run; raises `CheckpointError` where there are none that fit."""
    model = build(sizes, maps)
    try:
        model.load_weights(run.best_detector)
    except (FileNotFoundError, ValueError, OSError) as error:
        raise CheckpointError(
            f"{run.best_detector}: no detector of this recipe; train it first: {first_line(error)}"
        ) from error
    return model.network


def train(recipe: Recipe, sizes: Sizes, prepared: Prepared, run: RunDir) -> None:
    """Train until the validation AP50 no longer rises; a killed run goes on at its last whole epoch."""
    keras.utils.set_random_seed(recipe.seed)
    train_set, val_set = load_features(recipe, prepared, run)
    batches = BoxBatches(train_set, recipe, sizes)
    model = build(sizes, train_set.maps[0])
    steps = len(batches) * sizes.epochs
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps, alpha=0.01, warmup_target=sizes.learning_rate, warmup_steps=max(1, steps // 30)
    )
    momentum = checkpoint.ema_momentum(EMA_MOMENTUM, steps)
    model.compile(optimizer=keras.optimizers.AdamW(rate, weight_decay=0.02, use_ema=True, ema_momentum=momentum))

    def measure() -> dict[str, float]:
        figures = average_precision(model.network, val_set, sizes)
        flat = {f"{name}_{kind}": value for name, kinds in figures.items() for kind, value in kinds.items()}
        return {**flat, "ap50": float(np.mean([kinds["ap50"] for kinds in figures.values()]))}

    keep = checkpoint.KeepBest(run.detector, measure, monitor="ap50", patience=sizes.epochs)
    checkpoint.fit(model, batches, run, "detector", keep, epochs=sizes.epochs)


def average_precision(network: Any, cached: BoxFeatures, sizes: Sizes) -> dict[str, dict[str, float]]:
    """Return AP at IoU 0.5:0.95 and at 0.5 for each class, over the images whose source drew that class."""
    found = list(_detect(network, cached.maps[0], sizes.batch_size))
    return {
        name: _average_precision([(example, found[row]) for row, example in enumerate(cached.examples)], number, name)
        for number, name in enumerate(sizes.classes)
    }


def _detect(network: Any, maps: Maps, batch: int) -> Any:
    """Yield (boxes [K, 4] as top, left, bottom, right; scores [K]; classes [K]) of each image."""
    run: Callable[..., Any] = tf.function(network)
    for at in range(0, len(maps["c3"]), batch):
        outputs = run({name: tf.constant(maps[name][at : at + batch], tf.float32) for name in MAPS})
        centre, size = outputs["boxes"][..., 1::-1], outputs["boxes"][..., :1:-1]
        corners = tf.concat([centre - size / 2, centre + size / 2], -1)[:, :, None]
        kept = tf.image.combined_non_max_suppression(
            corners, tf.sigmoid(outputs["odds"]), 100, 100, iou_threshold=0.6, score_threshold=0.01, clip_boxes=True
        )
        yield from zip(kept[0].numpy(), kept[1].numpy(), kept[2].numpy(), strict=True)


def _average_precision(results: list[tuple[BoxExample, Any]], number: int, name: str) -> dict[str, float]:
    asked = [(example, found) for example, found in results if name in example.labelled]
    truth = [
        {
            "image_id": row,
            "category_id": 1,
            "iscrowd": 0,
            "bbox": [side * SIDE for side in box],
            "area": box[2] * box[3] * SIDE**2,
        }
        for row, (example, _) in enumerate(asked)
        for kind, *box in example.boxes
        if kind == name
    ]
    said = [
        [row, left * SIDE, top * SIDE, (right - left) * SIDE, (bottom - top) * SIDE, score, 1]
        for row, (_, (boxes, scores, kinds)) in enumerate(asked)
        for (top, left, bottom, right), score, kind in zip(boxes, scores, kinds, strict=True)
        if kind == number and score > 0
    ]
    if not truth or not said:
        return {"ap": 0.0, "ap50": 0.0}
    with contextlib.redirect_stdout(io.StringIO()):
        ground = COCO()
        ground.dataset = {
            "images": [{"id": row} for row in range(len(asked))],
            "annotations": [{**annotation, "id": number} for number, annotation in enumerate(truth, 1)],
            "categories": [{"id": 1, "name": name}],
        }
        ground.createIndex()
        judge = COCOeval(ground, ground.loadRes(np.array(said)), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return {"ap": float(judge.stats[0]), "ap50": float(judge.stats[1])}


def truth(example: BoxExample, classes: Sequence[str], *, mirrored: bool = False) -> npt.NDArray[np.float32]:
    """Return (class, cx, cy, w, h, 0) rows padded by class -1, and a last row of 1 for each class that is labelled."""
    rows = np.zeros((MAX_BOXES + 1, 6), np.float32)
    rows[:-1, 0] = -1
    boxes = sorted((box for box in example.boxes if box[0] in classes), key=lambda box: -box[3] * box[4])
    for row, (name, left, top, width, height) in enumerate(boxes[:MAX_BOXES]):
        across = left + width / 2
        rows[row, :5] = (classes.index(name), 1 - across if mirrored else across, top + height / 2, width, height)
    for number, name in enumerate(classes):
        rows[-1, number] = name in example.labelled
    return rows


def _is_done(context: Context) -> bool:
    sizes, run = context.recipe.detector, context.run
    return sizes is not None and checkpoint.is_finished(run, "detector", run.detector, sizes.epochs, sizes.epochs)


def _run(context: Context) -> None:
    if context.recipe.detector is not None:
        train(context.recipe, context.recipe.detector, context.prepared, context.run)


STAGE: Final = Stage(
    name="detector",
    needs=(),
    is_wanted=lambda context: context.recipe.detector is not None and not captioner.is_superseded(context),
    is_done=_is_done,
    run=_run,
)
