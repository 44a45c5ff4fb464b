"""Boxes from the encoder's maps: a small feature pyramid with an anchor-free head, after YOLOX (Ge et al. 2021).

Dimensions: B images, P points of all levels (28 x 28 + 14 x 14 + 7 x 7 at 224 pixels), C classes.
"""

from typing import Final

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers

STRIDES: Final = (8, 16, 32)
"""Pixels between two points of the maps `c3`, `c4` and `cells`."""

PRIOR: Final = 0.01
"""Initial score of the head, so that many empty points do not dominate the loss (Lin et al. 2017, section 3.3)."""


def build(shapes: dict[str, tuple[int, ...]], classes: int, width: int) -> keras.Model:
    """Build the network.

    `shapes` are those of one image's maps: `c3` [h, w, ·], `c4` [h/2, w/2, ·], `cells` [h/4 * w/4, ·].
    It maps `{c3, c4, cells}` to `boxes` [B, P, 4] (cx, cy, w, h as shares of the frame) and `odds` [B, P, C].
    """
    inputs = {name: keras.Input(shapes[name], name=name) for name in ("c3", "c4", "cells")}
    rows, columns = shapes["c3"][:2]
    sizes = [(rows, columns), (-(-rows // 2), -(-columns // 2)), (-(-rows // 4), -(-columns // 4))]
    coarse = layers.Reshape((*sizes[2], shapes["cells"][-1]))(inputs["cells"])
    maps = _pyramid([inputs["c3"], inputs["c4"], coarse], width)
    boxes, odds = [], []
    for level, (features, (height, across)) in enumerate(zip(maps, sizes, strict=True)):
        distances, score = _head(features, classes, width, f"head{level}")
        boxes.append(_boxes(distances, height, across))
        odds.append(layers.Reshape((-1, classes))(score))
    outputs = {"boxes": layers.Concatenate(1, name="boxes")(boxes), "odds": layers.Concatenate(1, name="odds")(odds)}
    return keras.Model(inputs, outputs, name="detector")


def points(shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return the centre of every point as shares of the frame, float32 [P, 2] (x, y), for a `c3` of this shape."""
    rows, columns = shape[:2]
    grids = [(-(-rows // step), -(-columns // step)) for step in (1, 2, 4)]
    return np.concatenate([_grid(height, width)[..., :2].reshape(-1, 2) for height, width in grids])


def _pyramid(maps: list[keras.KerasTensor], width: int) -> list[keras.KerasTensor]:
    """Mix the levels downwards and then upwards (Lin et al. 2017; Liu et al. 2018)."""
    maps = [_convolve(features, width, 1, 1, f"lateral{level}") for level, features in enumerate(maps)]
    for level in (1, 0):
        above = layers.UpSampling2D()(maps[level + 1])
        maps[level] = _separable(layers.Add()([maps[level], above]), width, 1, f"down{level}")
    for level in (1, 2):
        below = _separable(maps[level - 1], width, 2, f"stride{level}")
        maps[level] = _separable(layers.Add()([maps[level], below]), width, 1, f"up{level}")
    return maps


def _head(
    features: keras.KerasTensor, classes: int, width: int, name: str
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return distances [B, h, w, 4] to the sides, 0 to 1, and log-odds [B, h, w, C], each from a branch of its own."""
    box = _separable(_separable(features, width, 1, f"{name}_box0"), width, 1, f"{name}_box1")
    kind = _separable(_separable(features, width, 1, f"{name}_class0"), width, 1, f"{name}_class1")
    kind = layers.Dropout(0.1)(kind)
    prior = keras.initializers.Constant(-float(np.log((1 - PRIOR) / PRIOR)))
    start = keras.initializers.Constant(-2.0)
    distances = layers.Conv2D(4, 1, activation="sigmoid", bias_initializer=start, name=f"{name}_distances")(box)
    return distances, layers.Conv2D(classes, 1, bias_initializer=prior, name=f"{name}_odds")(kind)


def _boxes(distances: keras.KerasTensor, height: int, width: int) -> keras.KerasTensor:
    """Turn distances to left, top, right and bottom, as shares of the frame, into boxes [B, h * w, 4]."""
    grid = tf.constant(_grid(height, width))
    left_top, right_bottom = distances[..., :2], distances[..., 2:]
    # The grid comes second: Keras's addition loses a dimension where a constant meets one cell of one image.
    centre = (right_bottom - left_top) * 0.5 + grid[..., :2]
    return layers.Reshape((-1, 4))(layers.Concatenate()([centre, left_top + right_bottom]))


def _grid(height: int, width: int) -> npt.NDArray[np.float32]:
    """Return the centre of every cell as shares of the frame, [height, width, 2]."""
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    return np.stack([x, y], -1).astype(np.float32)


def _separable(x: keras.KerasTensor, filters: int, stride: int, name: str) -> keras.KerasTensor:
    x = layers.DepthwiseConv2D(3, stride, "same", use_bias=False, name=f"{name}_depthwise")(x)
    return _convolve(x, filters, 1, 1, name)


def _convolve(x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, stride, "same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(epsilon=1e-3, momentum=0.97, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu6")(x)
