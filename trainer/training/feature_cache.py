"""Encodes views of images once and keeps what the encoder said, because a frozen encoder says the same every epoch.

One folder a set: `<map>.npy` float16 [M, ...] for each map of the encoder, and `cache.json` with the rows done so far,
so that a killed run goes on where it was.
"""

import dataclasses
import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import msgspec
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from rich.console import Console
from rich.progress import track

from trainer.data import image_file
from trainer.errors import CheckpointError, DataError, first_line
from trainer.models import encoders
from trainer.recipe.recipe import Encoder
from trainer.recipe.run_dir import RunDir
from trainer.training.augmentation import AugmentedImage

Maps = dict[str, npt.NDArray[np.float16]]

POOLED: Final = "pooled"
"""Not a map but the mean of each number over the cells, then its maximum: [M, 2D]."""

KERAS_WEIGHTS: Final = ".weights.h5"
"""How the name of a weights file of our own ends."""


class Progress(msgspec.Struct, frozen=True):
    """`cache.json`."""

    key: str
    """Digest of the encoder and the list of views."""
    rows: int
    done: int


@dataclass(frozen=True, slots=True)
class FeatureRequest:
    """A set of views to encode."""

    name: str
    images: Sequence[AugmentedImage]
    maps: tuple[str, ...]
    """Which of the encoder's outputs to keep, or `POOLED`."""


def tuned(recipe: Encoder, run: RunDir) -> Encoder:
    """Return the recipe's encoder with the weights that the run tuned, where it has."""
    return msgspec.structs.replace(recipe, weights=str(run.encoder)) if run.encoder.exists() else recipe


def build_encoder(recipe: Encoder) -> Any:
    """Build the recipe's encoder, frozen; see `trainer.models.encoders.Encoder.build`.

    Raises `CheckpointError` where its weights are Keras's own and do not fit.
    """
    ours = recipe.weights.endswith(KERAS_WEIGHTS)
    model = encoders.get(recipe.name).build(recipe.height, recipe.width, "" if ours else recipe.weights)
    if ours:
        try:
            model.load_weights(recipe.weights)
        except (FileNotFoundError, ValueError, OSError) as error:
            raise CheckpointError(
                f"{recipe.weights}: not weights of {recipe.name}; tune it again: {first_line(error)}"
            ) from error
    model.trainable = False
    return model


def pooled(cells: Any) -> Any:
    """Return the mean of each number over the cells, then its maximum: [M, N, D] -> [M, 2D]."""
    return keras.ops.concatenate([keras.ops.mean(cells, 1), keras.ops.max(cells, 1)], -1)


def read_images(images: Sequence[AugmentedImage], recipe: Encoder) -> Iterator[Any]:
    """Yield batches float32 [b, H, W, 3], RGB, whole numbers 0..255, each view squashed to the input size.

    Raises `DataError` naming an image that cannot be decoded.
    """

    def decode(path: Any, sides: Any, mirrored: Any, tint: Any) -> Any:
        pixels = tf.numpy_function(_decode, [path], tf.uint8, stateful=False)
        pixels = tf.ensure_shape(pixels, (None, None, 3))
        pixels = tf.image.resize(_part(pixels, sides), (recipe.height, recipe.width), "area")
        pixels = tf.cond(tint > 0, lambda: _tinted(pixels, tint), lambda: pixels)
        return tf.cond(mirrored, lambda: tf.reverse(tf.round(pixels), [1]), lambda: tf.round(pixels))

    columns = (
        [str(image.path) for image in images],
        np.array([(image.left, image.top, image.width, image.height) for image in images], np.float32),
        [image.mirrored for image in images],
        [image.tint for image in images],
    )
    dataset = tf.data.Dataset.from_tensor_slices(columns)
    batches = dataset.map(decode, num_parallel_calls=2).batch(recipe.batch_size).prefetch(2)
    try:
        with image_file.quiet():
            yield from batches
    except (tf.errors.InvalidArgumentError, tf.errors.UnknownError) as error:
        _refuse_undecodable(images)
        raise DataError(f"images cannot be read: {first_line(error)}") from error


def _decode(path: bytes) -> npt.NDArray[np.uint8]:
    """Return an image [h, w, 3]; called by TensorFlow, which turns a `DataError` into one of its own errors."""
    return image_file.read(Path(path.decode()))


def _part(pixels: Any, sides: Any) -> Any:
    """Cut a part, sides [4] as shares, out of an image [h, w, 3]; never less than one pixel."""
    size = tf.cast(tf.shape(pixels)[:2], tf.float32)
    start = tf.cast(sides[1::-1] * size, tf.int32)
    end = tf.cast(tf.math.ceil((sides[1::-1] + sides[:1:-1]) * size), tf.int32)
    end = tf.minimum(tf.maximum(end, start + 1), tf.shape(pixels)[:2])
    return pixels[start[0] : end[0], start[1] : end[1]]


def _tinted(pixels: Any, seed: Any) -> Any:
    """Change brightness, contrast and colour a little, the same for the same seed."""
    seeds = [tf.stack([tf.cast(seed, tf.int64), tf.constant(number, tf.int64)]) for number in range(3)]
    pixels = tf.image.stateless_random_brightness(pixels, 40.0, seeds[0])
    pixels = tf.image.stateless_random_contrast(pixels, 0.7, 1.4, seeds[1])
    pixels = tf.image.stateless_random_saturation(pixels / 255.0, 0.5, 1.5, seeds[2]) * 255.0
    return tf.clip_by_value(pixels, 0.0, 255.0)


def cached(folder: Path, recipe: Encoder, wanted: FeatureRequest) -> Maps:
    """Return the features of a set, memory-mapped; encode what is not on disk yet.

    Raises `CheckpointError` where the folder holds another set's, `DataError` for a broken image.
    """
    place = folder / wanted.name
    key = _key(recipe, wanted)
    progress = _progress(place, key, len(wanted.images))
    if progress.done < progress.rows:
        _encode(place, recipe, wanted, progress)
    return {name: np.load(place / f"{name}.npy", mmap_mode="r") for name in wanted.maps}


def _encode(place: Path, recipe: Encoder, wanted: FeatureRequest, progress: Progress) -> None:
    model = _with_pooled(build_encoder(recipe))
    place.mkdir(parents=True, exist_ok=True)
    at = progress.done
    shapes = {name: (progress.rows, *model.output[name].shape[1:]) for name in wanted.maps}
    files = {name: _open(place / f"{name}.npy", shape, begun=at > 0) for name, shape in shapes.items()}
    pixels = tf.TensorSpec((None, recipe.height, recipe.width, 3), tf.float32)
    encode = tf.function(
        lambda pixels: {name: model(pixels, training=False)[name] for name in wanted.maps}, input_signature=[pixels]
    )
    batches = read_images(wanted.images[at:], recipe)
    total = -(-(progress.rows - at) // recipe.batch_size)
    console, silent = Console(stderr=True), not sys.stderr.isatty()
    for batch in track(batches, f"Encoding {wanted.name}", total=total, console=console, disable=silent):
        for name, values in encode(batch).items():
            files[name][at : at + len(batch)] = values.numpy()
        at += len(batch)
        _save(place, Progress(progress.key, progress.rows, at))


def _with_pooled(model: Any) -> Any:
    return keras.Model(model.input, {**model.output, POOLED: pooled(model.output["cells"])}, name=model.name)


def _open(path: Path, shape: tuple[int, ...], *, begun: bool) -> Any:
    if begun:
        return np.load(path, mmap_mode="r+")
    values = np.lib.format.open_memmap(path, "w+", np.float16, shape)
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)  # a full disk says so here, not by SIGBUS later
    return values


def _progress(place: Path, key: str, rows: int) -> Progress:
    path = place / "cache.json"
    if not path.exists():
        return Progress(key, rows, 0)
    try:
        progress = msgspec.json.decode(path.read_bytes(), type=Progress)
    except msgspec.DecodeError as error:
        raise CheckpointError(f"{path}: {error}; remove {place} to encode the images again") from error
    if progress.key != key:
        raise CheckpointError(f"{place}: features of another encoder or other images; remove it to encode them again")
    return progress


def _save(place: Path, progress: Progress) -> None:
    scratch = place / "cache.json.new"
    scratch.write_bytes(msgspec.json.encode(progress))
    scratch.replace(place / "cache.json")


def _key(recipe: Encoder, wanted: FeatureRequest) -> str:
    parts = (recipe.name, recipe.height, recipe.width, _digest(recipe.weights), wanted.maps)
    listing = "\n".join(repr((image.path.name, *dataclasses.astuple(image)[1:])) for image in wanted.images)
    return hashlib.sha256(f"{parts}\n{listing}".encode()).hexdigest()


def _digest(weights: str) -> str:
    """Tell weights of our own apart by their content: tuning writes them again and again to one place."""
    return hashlib.sha256(Path(weights).read_bytes()).hexdigest() if weights.endswith(KERAS_WEIGHTS) else weights


def _refuse_undecodable(images: Sequence[AugmentedImage]) -> None:
    """Raise `DataError` for the first image that cannot be decoded, if any."""
    for image in images:
        image_file.read(image.path)
