"""Int8 networks with random weights, to time ours against: weights do not change the time of an int8 network."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from converter import terminal

CALIBRATION: Final = 8
"""Pictures of noise that the quantizer takes the ranges of."""


def keras() -> Any:
    """Import Keras without TensorFlow's banner, seeded; raises `ModuleNotFoundError` where it is not installed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with terminal.silent_stderr():
        import keras as found  # noqa: PLC0415  # heavy, and not installed on a device
    found.utils.set_random_seed(0)
    return found


def cached(cache: Path, name: str, source: Path, convert: Callable[[], bytes]) -> Path:
    """Return the file of a network, converted unless the cache has it; a changed source is converted again."""
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    path = cache / f"{name}-{digest}.tflite"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        whole = path.with_suffix(".part")
        whole.write_bytes(convert())
        whole.replace(path)
    return path


def int8(network: Any, side: int) -> bytes:
    """Return a Keras network as a .tflite file that takes uint8 pixels, as the bundle's encoder does."""
    with terminal.silent_stderr():
        import tensorflow as tf  # noqa: PLC0415

        from converter.tflite import quantize  # noqa: PLC0415  # imports TensorFlow

    image = tf.TensorSpec((1, side, side, 3), tf.float32, name="image")
    serve = tf.function(lambda image: {"out": network(image, training=False)}).get_concrete_function(image)
    random = np.random.default_rng(0)

    def samples() -> Iterator[dict[str, Any]]:
        for _ in range(CALIBRATION):
            noise = random.integers(0, 256, (1, side, side, 3)).astype(np.float32)
            yield {"image": quantize.pin_pixel_range(noise)}

    with tempfile.TemporaryDirectory(prefix="wordcam-bench-") as name:
        saved, frozen = Path(name) / "saved", Path(name) / "frozen"
        tf.saved_model.save(network, str(saved), signatures=serve)
        quantize.freeze(saved, {"image": (1, side, side, 3)}, frozen)
        return quantize.full_int8(frozen, samples, uint8_input=True)
