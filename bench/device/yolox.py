"""YOLOX-Nano, drawn from its paper: the detector that ours is timed against.

Ge et al. 2021 (arXiv:2107.08430): CSPDarknet of depth 0.33 and width 0.25 with depthwise convolutions, a path
aggregation network (PAFPN), and a decoupled, anchor-free head of 80 classes at strides 8, 16 and 32. The weights are
random. Keras and TensorFlow are imported on first use.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.device import untrained
from edge.infer import image as pixels
from edge.infer import runtime
from edge.infer.image import Picture

CLASSES: Final = 80
"""COCO's."""

WIDTHS: Final = (16, 32, 64, 128, 256)
"""Channels of the stem and of strides 4, 8, 16 and 32: a quarter of those of YOLOX-L."""

DEPTHS: Final = (1, 3, 3, 1)
"""Bottlenecks at strides 4, 8, 16 and 32: a third of those of YOLOX-L."""

HEAD: Final = 64
"""Channels of the head."""

POOLS: Final = (5, 9, 13)
"""Windows of the spatial pyramid pooling."""

PUBLISHED_PARAMETERS: Final = 0.91e6
PUBLISHED_OPERATIONS: Final = 1.08e9
"""Its size at 416 x 416 (Ge et al. 2021, table 5), a multiplication with its addition counted as two."""

ACTIVATIONS: Final = ("silu", "relu6")
"""As published, and a simpler one that many int8 ports put in its place."""


class Network:
    """The layers of one variant; each method gives what it makes of a tensor."""

    def __init__(self, keras: Any, activation: str) -> None:
        """`activation` is one of `ACTIVATIONS`."""
        self._keras, self._layers, self._activation = keras, keras.layers, activation

    def build(self, side: int) -> Any:
        """Return the network: pictures [1, side, side, 3] -> `out` [1, P, 85], over all points of all levels."""
        image = self._keras.Input((side, side, 3), batch_size=1, name="image")
        levels = [self._head(level) for level in self._pyramid(*self._backbone(image))]
        return self._keras.Model(image, self._layers.Concatenate(axis=1, name="out")(levels))

    def _convolve(self, x: Any, channels: int, kernel: int, stride: int = 1) -> Any:
        return self._activate(self._layers.Conv2D(channels, kernel, stride, "same", use_bias=False)(x))

    def _depthwise(self, x: Any, channels: int, stride: int = 1) -> Any:
        """A 3 x 3 convolution within each channel and one of 1 x 1 across them."""
        x = self._activate(self._layers.DepthwiseConv2D(3, stride, "same", use_bias=False)(x))
        return self._convolve(x, channels, 1)

    def _activate(self, x: Any) -> Any:
        x = self._layers.BatchNormalization()(x)
        if self._activation == "silu":  # spelled out: Keras' own has a gradient that a SavedModel does not take
            return self._layers.Multiply()([x, self._layers.Activation("sigmoid")(x)])
        return self._layers.Activation(self._activation)(x)

    def _stage(self, x: Any, channels: int, depth: int, *, shortcut: bool) -> Any:
        """A cross-stage partial block: half of the channels pass the bottlenecks, half go around them."""
        inner, around = (self._convolve(x, channels // 2, 1) for _ in range(2))
        for _ in range(depth):
            found = self._depthwise(self._convolve(inner, channels // 2, 1), channels // 2)
            inner = self._layers.Add()([inner, found]) if shortcut else found
        return self._convolve(self._layers.Concatenate()([inner, around]), channels, 1)

    def _pool(self, x: Any, channels: int) -> Any:
        x = self._convolve(x, channels // 2, 1)
        pooled = [self._layers.MaxPooling2D(window, 1, "same")(x) for window in POOLS]
        return self._convolve(self._layers.Concatenate()([x, *pooled]), channels, 1)

    def _backbone(self, image: Any) -> list[Any]:
        """Return the features at strides 8, 16 and 32."""
        side = image.shape[1] // 2
        focus = self._layers.Reshape((side, 2, side, 2, 3))(image)
        focus = self._layers.Reshape((side, side, 12))(self._layers.Permute((1, 3, 2, 4, 5))(focus))
        x = self._convolve(focus, WIDTHS[0], 3)
        levels = []
        for number, (channels, depth) in enumerate(zip(WIDTHS[1:], DEPTHS, strict=True)):
            last = number == len(DEPTHS) - 1
            x = self._depthwise(x, channels, 2)
            x = self._stage(self._pool(x, channels) if last else x, channels, depth, shortcut=not last)
            levels.append(x)
        return levels[1:]

    def _pyramid(self, c3: Any, c4: Any, c5: Any) -> list[Any]:
        """Aggregate downwards and up again (Liu et al. 2018, PANet)."""
        layers = self._layers

        def merge(one: Any, other: Any, channels: int) -> Any:
            return self._stage(layers.Concatenate()([one, other]), channels, 1, shortcut=False)

        top = self._convolve(c5, WIDTHS[3], 1)
        middle = merge(layers.UpSampling2D()(top), c4, WIDTHS[3])
        middle = self._convolve(middle, WIDTHS[2], 1)
        p3 = merge(layers.UpSampling2D()(middle), c3, WIDTHS[2])
        p4 = merge(self._depthwise(p3, WIDTHS[2], 2), middle, WIDTHS[3])
        return [p3, p4, merge(self._depthwise(p4, WIDTHS[3], 2), top, WIDTHS[4])]

    def _head(self, level: Any) -> Any:
        """Return 4 box numbers, 1 of objectness and one a class, for each point of a level."""
        stem = self._convolve(level, HEAD, 1)
        box, kind = (self._depthwise(self._depthwise(stem, HEAD), HEAD) for _ in range(2))
        predict = self._layers.Conv2D
        found = [
            predict(4, 1)(box),
            predict(1, 1, activation="sigmoid")(box),
            predict(CLASSES, 1, activation="sigmoid")(kind),
        ]
        return self._layers.Reshape((-1, 5 + CLASSES))(self._layers.Concatenate()(found))


class Yolox:
    """One int8 variant, ready to run through the device's own runtime."""

    def __init__(self, side: int, activation: str, cache: Path, threads: int = 1) -> None:
        """Convert it unless `cache` has it; raises `ModuleNotFoundError` where TensorFlow is not installed."""
        name = f"yolox-nano-{side}-{activation}"
        path = untrained.cached(cache, name, Path(__file__), lambda: untrained.int8(build(side, activation), side))
        self._side, self._model = side, runtime.load(path, threads)

    def detect(self, rgb: Picture) -> Any:
        """Run it on a picture of any size: resize and network, without reading boxes from the numbers."""
        image = pixels.fit(rgb, self._side, self._side)[np.newaxis]
        return self._model.run(image=image)


def build(side: int, activation: str) -> Any:
    """Build the Keras network; raises `ModuleNotFoundError` where it is not installed."""
    return Network(untrained.keras(), activation).build(side)


def operations(network: Any) -> int:
    """Count the operations of a network's convolutions, a multiplication with its addition as two."""
    total = 0
    for layer in network.layers:
        if "conv" in layer.name:
            _, height, width, _ = layer.output.shape
            total += 2 * height * width * int(np.prod(layer.kernel.shape))
    return total
