"""Encodes pictures once and keeps what the encoder said on disk, because a frozen encoder says the same every epoch.

One folder a set: `<map>.npy` float16 [M, ...] for each map of the encoder, and `cache.json` with the rows done so far,
so that a killed run goes on where it was.
"""

import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from rich.console import Console
from rich.progress import track

from trainer import encoders
from trainer.errors import CheckpointError, DataError
from trainer.recipe import Encoder

Maps = dict[str, npt.NDArray[np.float16]]


class Progress(msgspec.Struct, frozen=True):
    """`cache.json`."""

    key: str
    """Digest of the encoder and the list of pictures."""
    rows: int
    done: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A set of pictures to encode."""

    name: str
    paths: Sequence[Path]
    maps: tuple[str, ...]
    """Which of the encoder's outputs to keep."""
    mirrored: bool = False
    """Whether left and right change sides."""


def build_encoder(recipe: Encoder) -> Any:
    """Build the recipe's encoder, frozen; see `trainer.encoders.Encoder.build`."""
    model = encoders.get(recipe.name).build(recipe.height, recipe.width, recipe.weights)
    model.trainable = False
    return model


def read_pictures(paths: Sequence[Path], recipe: Encoder, *, mirrored: bool = False) -> Iterator[Any]:
    """Yield batches float32 [b, H, W, 3], RGB, whole numbers 0..255, the whole picture squashed to the input size.

    Raises `DataError` naming a picture that cannot be decoded.
    """

    def decode(path: Any) -> Any:
        pixels = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        pixels = tf.round(tf.image.resize(pixels, (recipe.height, recipe.width), "area"))
        return tf.reverse(pixels, [1]) if mirrored else pixels

    names = tf.data.Dataset.from_tensor_slices([str(path) for path in paths])
    batches = names.map(decode, num_parallel_calls=2).batch(recipe.batch).prefetch(2)
    try:
        yield from batches
    except (tf.errors.InvalidArgumentError, tf.errors.NotFoundError) as error:
        raise DataError(f"{_undecodable(paths)}: not a picture that can be decoded") from error


def cached(folder: Path, recipe: Encoder, wanted: Wanted) -> Maps:
    """Give the features of a set, memory-mapped; encode what is not on disk yet.

    Raises `CheckpointError` where the folder holds another set's, `DataError` for a broken picture.
    """
    place = folder / wanted.name
    key = _key(recipe, wanted)
    progress = _progress(place, key, len(wanted.paths))
    if progress.done < progress.rows:
        _encode(place, recipe, wanted, progress)
    return {name: np.load(place / f"{name}.npy", mmap_mode="r") for name in wanted.maps}


def _encode(place: Path, recipe: Encoder, wanted: Wanted, progress: Progress) -> None:
    model = build_encoder(recipe)
    place.mkdir(parents=True, exist_ok=True)
    at = progress.done
    shapes = {name: (progress.rows, *model.output[name].shape[1:]) for name in wanted.maps}
    files = {name: _open(place / f"{name}.npy", shape, begun=at > 0) for name, shape in shapes.items()}
    pixels = tf.TensorSpec((None, recipe.height, recipe.width, 3), tf.float32)
    encode = tf.function(
        lambda pixels: {name: model(pixels, training=False)[name] for name in wanted.maps}, input_signature=[pixels]
    )
    batches = read_pictures(wanted.paths[at:], recipe, mirrored=wanted.mirrored)
    total = -(-(progress.rows - at) // recipe.batch)
    console, silent = Console(stderr=True), not sys.stderr.isatty()
    for batch in track(batches, f"Encoding {wanted.name}", total=total, console=console, disable=silent):
        for name, values in encode(batch).items():
            files[name][at : at + len(batch)] = values.numpy()
        at += len(batch)
        _save(place, Progress(progress.key, progress.rows, at))


def _open(path: Path, shape: tuple[int, ...], *, begun: bool) -> Any:
    if begun:
        return np.load(path, mmap_mode="r+")
    return np.lib.format.open_memmap(path, "w+", np.float16, shape)


def _progress(place: Path, key: str, rows: int) -> Progress:
    path = place / "cache.json"
    if not path.exists():
        return Progress(key, rows, 0)
    try:
        progress = msgspec.json.decode(path.read_bytes(), type=Progress)
    except msgspec.DecodeError as error:
        raise CheckpointError(f"{path}: {error}; remove {place} to encode the pictures again") from error
    if progress.key != key:
        raise CheckpointError(f"{place}: features of another encoder or other pictures; remove it to encode them again")
    return progress


def _save(place: Path, progress: Progress) -> None:
    scratch = place / "cache.json.new"
    scratch.write_bytes(msgspec.json.encode(progress))
    scratch.replace(place / "cache.json")


def _key(recipe: Encoder, wanted: Wanted) -> str:
    parts = (recipe.name, recipe.height, recipe.width, recipe.weights, wanted.mirrored, wanted.maps)
    listing = "\n".join(path.name for path in wanted.paths)
    return hashlib.sha256(f"{parts}\n{listing}".encode()).hexdigest()


def _undecodable(paths: Sequence[Path]) -> Path:
    for path in paths:
        try:
            tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False)
        except (tf.errors.InvalidArgumentError, OSError):
            return path
    return paths[0]
