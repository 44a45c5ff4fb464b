"""EfficientNet-B3 at 300 x 300 (Tan and Le 2019, arXiv:1905.11946), int8: one run of it is what a frame is timed by.

The activation of the squeeze, on one cell alone, is another one: it takes no time.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.device import untrained
from edge.infer import image as pixels
from edge.infer import runtime
from edge.infer.image import Picture

SIDE: Final = 300
"""Height and width that its authors train B3 at."""


class EfficientNetB3:
    """The network, ready to run through the device's own runtime."""

    def __init__(self, cache: Path, threads: int = 1) -> None:
        """Convert it unless `cache` has it; raises `ModuleNotFoundError` where TensorFlow is not installed."""
        path = untrained.cached(cache, f"efficientnet-b3-{SIDE}", Path(__file__), _convert)
        self._model = runtime.load(path, threads)

    def classify(self, rgb: Picture) -> Any:
        """Run it on a picture of any size: resize and network."""
        return self._model.run(image=pixels.fit(rgb, SIDE, SIDE)[np.newaxis])


def _convert() -> bytes:
    keras = untrained.keras()
    network = keras.applications.EfficientNetB3(weights=None, input_shape=(SIDE, SIDE, 3))

    class Silu(keras.layers.Layer):  # type: ignore[misc,name-defined]  # keras has no stubs
        """Spelt out: Keras's own has a gradient that a SavedModel does not take."""

        def call(self, x: Any) -> Any:
            return x * keras.ops.sigmoid(x)

    def spelt_out(layer: Any) -> Any:
        is_silu = getattr(layer, "activation", None) is keras.activations.silu
        if is_silu and isinstance(layer, keras.layers.Activation):
            return Silu(name=layer.name)
        if is_silu:
            return keras.layers.Conv2D.from_config({**layer.get_config(), "activation": "relu6"})
        return layer.__class__.from_config(layer.get_config())

    return untrained.int8(keras.models.clone_model(network, clone_function=spelt_out), SIDE)
