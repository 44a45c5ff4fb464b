"""InceptionV3 (Szegedy et al. 2016), the student system's encoder: 8 x 8 cells of 2,048 numbers at 299 pixels."""

import keras
from keras import layers


def build(height: int, width: int, weights: str) -> keras.Model:
    """Build it, see `trainer.models.encoders.Encoder.build`; `imagenet` downloads Keras's weights."""
    base = keras.applications.InceptionV3(include_top=False, weights=weights or None, input_shape=(height, width, 3))
    taps = keras.Model(base.input, [base.get_layer(name).output for name in ("mixed2", "mixed7")])
    image = keras.Input((height, width, 3), name="image")
    pixels = layers.Rescaling(1 / 127.5, offset=-1.0, name="normalise")(image)
    full = keras.Model(base.input, [*taps.outputs, base.output])
    c3, c4, top = full(pixels)
    cells = layers.Reshape((-1, 2048), name="cells")(top)
    return keras.Model(image, {"c3": c3, "c4": c4, "cells": cells}, name="inception_v3")
