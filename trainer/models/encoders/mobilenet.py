"""MobileNetV3-Large (Howard et al. 2019), minimalistic: int8 keeps it, without squeeze-and-excite and hard-swish."""

from typing import Final

import keras
from keras import layers

STRIDES: Final = (8, 16)


def build(height: int, width: int, weights: str) -> keras.Model:
    """Build it, see `trainer.models.encoders.Encoder.build`; `imagenet` downloads Keras's weights."""
    base = keras.applications.MobileNetV3Large(
        (height, width, 3), minimalistic=True, include_top=False, weights=weights or None, include_preprocessing=True
    )
    taps = [_last_of_stride(base, stride, height) for stride in STRIDES]
    full = keras.Model(base.input, [*taps, base.output])
    image = keras.Input((height, width, 3), name="image")
    c3, c4, top = full(image)
    cells = layers.Reshape((-1, top.shape[-1]), name="cells")(top)
    return keras.Model(image, {"c3": c3, "c4": c4, "cells": cells}, name="mobilenet_v3_large")


def _last_of_stride(base: keras.Model, stride: int, height: int) -> keras.KerasTensor:
    rows = -(-height // stride)
    return [layer.output for layer in base.layers if len(layer.output.shape) == 4 and layer.output.shape[1] == rows][-1]
