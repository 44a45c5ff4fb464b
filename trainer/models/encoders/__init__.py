"""Encoders by name: ImageNet networks that turn an image into features for the captioner and the detector.

Dimensions: B images, H x W pixels, N cells of the coarsest map.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import keras

from trainer.errors import RecipeError
from trainer.models.encoders import efficientnet_lite, inception, mobilenet


@dataclass(frozen=True, slots=True)
class Encoder:
    """How to build one encoder."""

    build: Callable[[int, int, str], keras.Model]
    """(height, width, weights) -> Keras model: `image` float32 [B, H, W, 3] RGB 0..255 -> `c3` [B, H/8, W/8, ·],
    `c4` [B, H/16, W/16, ·], `cells` [B, N, ·]. `weights` is a file, `imagenet`, or empty for random ones."""
    size: int
    """The input height and width that the network was trained at."""


ENCODERS: Final[dict[str, Encoder]] = {
    "efficientnet-lite0": Encoder(lambda h, w, f: efficientnet_lite.build("lite0", h, w, f), 224),
    "efficientnet-lite1": Encoder(lambda h, w, f: efficientnet_lite.build("lite1", h, w, f), 240),
    "efficientnet-lite2": Encoder(lambda h, w, f: efficientnet_lite.build("lite2", h, w, f), 260),
    "inception-v3": Encoder(inception.build, 299),
    "mobilenet-v3-large": Encoder(mobilenet.build, 224),
}
"""EfficientNet-Lite quantizes best; InceptionV3 is the student system's, kept to compare; see each module."""


def get(name: str) -> Encoder:
    """Find an encoder; raises `RecipeError` naming those there are."""
    try:
        return ENCODERS[name]
    except KeyError:
        raise RecipeError(f"encoder.name: {name!r} is none of {', '.join(ENCODERS)}") from None
