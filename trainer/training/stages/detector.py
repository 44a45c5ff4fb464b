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

from trainer.data.example import BoxedPicture
from trainer.data.prepare import Prepared
from trainer.errors import CheckpointError, first_line
from trainer.models import detection_loss, detector
from trainer.recipe.recipe import Detector as Sizes
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import Run
from trainer.training import checkpoint, feature_cache
from trainer.training.augmentation import View
from trainer.training.feature_cache import Maps, Wanted

MAPS: Final = ("c3", "c4", "cells")

MAX_BOXES: Final = 16
"""True boxes of a picture that training looks at; the largest stay."""

SIDE: Final = 1000.0
"""Pictures are measured as squares of this side: shares become numbers that COCO's areas fit."""


@dataclass(frozen=True, slots=True)
class BoxedCorpus:
    """Boxed pictures with the features of each view, as taken and mirrored."""

    pictures: Sequence[BoxedPicture]
    views: tuple[Maps, ...]


class BoxBatches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no stubs
    """Batches (maps, truth): truth float32 [B, MAX_BOXES + 1, 6], whose last row says which classes are labelled."""

    def __init__(self, corpus: BoxedCorpus, recipe: Recipe, sizes: Sizes) -> None:
        super().__init__(workers=1)
        self.corpus, self.sizes, self.seed = corpus, sizes, recipe.seed
        self.truth = [
            np.stack([truth(picture, sizes.classes, mirrored=mirrored) for picture in corpus.pictures])
            for mirrored in (False, True)[: len(corpus.views)]
        ]
        self.epoch = -1
        self.rows: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self.on_epoch_begin()

    def __len__(self) -> int:
        steps = max(1, len(self.rows) // self.sizes.pictures)
        return min(steps, self.sizes.max_steps) if self.sizes.max_steps else steps

    def on_epoch_begin(self) -> None:
        """Order the pictures of the next epoch."""
        self.epoch += 1
        self.rows = np.random.default_rng((self.seed, self.epoch)).permutation(len(self.corpus.pictures))

    def __getitem__(self, index: int) -> tuple[dict[str, Any], Any]:
        rows = self.rows[index * self.sizes.pictures : (index + 1) * self.sizes.pictures]
        views = np.random.default_rng((self.seed, self.epoch, index)).integers(len(self.corpus.views), size=len(rows))
        chosen = list(zip(views, rows, strict=True))
        maps = {name: np.stack([self.corpus.views[view][name][row] for view, row in chosen]) for name in MAPS}
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
        """Give `boxes` and `odds`."""
        outputs: dict[str, Any] = self.network(maps, training=training)
        return outputs

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any) -> Any:  # noqa: ARG002
        """Take the truth of `BoxBatches` apart; the parameters' names are Keras's."""
        return detection_loss.loss(y[:, :-1, :5], y[:, -1, : self.labels], y_pred["boxes"], y_pred["odds"], self.points)


def corpora(recipe: Recipe, prepared: Prepared, run: Run) -> tuple[BoxedCorpus, BoxedCorpus]:
    """Give the boxed pictures with their features, encoding what is not on disk yet."""

    encoder = feature_cache.tuned(recipe.encoder, run)

    def view(name: str, pictures: Sequence[BoxedPicture], *, mirrored: bool = False) -> Maps:
        views = [View(picture.path, mirrored=mirrored) for picture in pictures]
        return feature_cache.cached(run.features, encoder, Wanted(name, views, MAPS))

    views = [view("boxes-train", prepared.boxes_train)]
    if recipe.encoder.flips:
        views.append(view("boxes-train-mirrored", prepared.boxes_train, mirrored=True))
    val = BoxedCorpus(prepared.boxes_val, (view("boxes-val", prepared.boxes_val),))
    return BoxedCorpus(prepared.boxes_train, tuple(views)), val


def build(sizes: Sizes, maps: Maps) -> Trainable:
    """Build the network for these maps, with its variables; see `detector.build`."""
    shapes = {name: values.shape[1:] for name, values in maps.items()}
    model = Trainable(detector.build(shapes, len(sizes.classes), sizes.width), detector.points(shapes["c3"]))
    model({name: np.zeros((1, *shape), np.float32) for name, shape in shapes.items()})
    return model


def load(sizes: Sizes, maps: Maps, run: Run) -> Any:
    """Build the network with the best weights of a run; raises `CheckpointError` where there are none that fit."""
    model = build(sizes, maps)
    try:
        model.load_weights(run.best_detector)
    except (FileNotFoundError, ValueError, OSError) as error:
        raise CheckpointError(
            f"{run.best_detector}: no detector of this recipe; train it first: {first_line(error)}"
        ) from error
    return model.network


def train(recipe: Recipe, sizes: Sizes, prepared: Prepared, run: Run) -> None:
    """Train until the validation AP50 no longer rises; a killed run goes on at its last whole epoch."""
    keras.utils.set_random_seed(recipe.seed)
    train_corpus, val_corpus = corpora(recipe, prepared, run)
    batches = BoxBatches(train_corpus, recipe, sizes)
    model = build(sizes, train_corpus.views[0])
    steps = len(batches) * sizes.epochs
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps, alpha=0.01, warmup_target=sizes.learning_rate, warmup_steps=max(1, steps // 30)
    )
    momentum = min(0.998, 1 - 2 / max(steps, 4))  # a short run's average must forget the weights it began with
    model.compile(optimizer=keras.optimizers.AdamW(rate, weight_decay=0.02, use_ema=True, ema_momentum=momentum))

    def measure() -> dict[str, float]:
        figures = average_precision(model.network, val_corpus, sizes)
        flat = {f"{name}_{kind}": value for name, kinds in figures.items() for kind, value in kinds.items()}
        return {**flat, "ap50": float(np.mean([kinds["ap50"] for kinds in figures.values()]))}

    keep = checkpoint.KeepBest(run.detector, measure, monitor="ap50", patience=sizes.epochs)
    checkpoint.fit(model, batches, run, "detector", keep, epochs=sizes.epochs)


def average_precision(network: Any, corpus: BoxedCorpus, sizes: Sizes) -> dict[str, dict[str, float]]:
    """Give AP at IoU 0.5:0.95 and at 0.5 for each class, over the pictures whose source drew that class."""
    found = list(_detect(network, corpus.views[0], sizes.pictures))
    return {
        name: _average_precision([(picture, found[row]) for row, picture in enumerate(corpus.pictures)], number, name)
        for number, name in enumerate(sizes.classes)
    }


def _detect(network: Any, maps: Maps, batch: int) -> Any:
    """Yield (boxes [K, 4] as top, left, bottom, right; scores [K]; classes [K]) of each picture."""
    run: Callable[..., Any] = tf.function(network)
    for at in range(0, len(maps["c3"]), batch):
        outputs = run({name: tf.constant(maps[name][at : at + batch], tf.float32) for name in MAPS})
        centre, size = outputs["boxes"][..., 1::-1], outputs["boxes"][..., :1:-1]
        corners = tf.concat([centre - size / 2, centre + size / 2], -1)[:, :, None]
        kept = tf.image.combined_non_max_suppression(
            corners, tf.sigmoid(outputs["odds"]), 100, 100, iou_threshold=0.6, score_threshold=0.01, clip_boxes=True
        )
        yield from zip(kept[0].numpy(), kept[1].numpy(), kept[2].numpy(), strict=True)


def _average_precision(results: list[tuple[BoxedPicture, Any]], number: int, name: str) -> dict[str, float]:
    asked = [(picture, found) for picture, found in results if name in picture.labelled]
    truth = [
        {
            "image_id": row,
            "category_id": 1,
            "iscrowd": 0,
            "bbox": [side * SIDE for side in box],
            "area": box[2] * box[3] * SIDE**2,
        }
        for row, (picture, _) in enumerate(asked)
        for kind, *box in picture.boxes
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


def truth(picture: BoxedPicture, classes: Sequence[str], *, mirrored: bool = False) -> npt.NDArray[np.float32]:
    """Give (class, cx, cy, w, h, 0) rows padded by class -1, and a last row of 1 for each class that is labelled."""
    rows = np.zeros((MAX_BOXES + 1, 6), np.float32)
    rows[:-1, 0] = -1
    boxes = sorted((box for box in picture.boxes if box[0] in classes), key=lambda box: -box[3] * box[4])
    for row, (name, left, top, width, height) in enumerate(boxes[:MAX_BOXES]):
        across = left + width / 2
        rows[row, :5] = (classes.index(name), 1 - across if mirrored else across, top + height / 2, width, height)
    for number, name in enumerate(classes):
        rows[-1, number] = name in picture.labelled
    return rows
