"""The one door to TensorFlow: SavedModels in, the bytes of .tflite files out.

Variables are frozen to constants and every dimension is fixed first, because calibration cannot read variables and a
fixed shape lets the interpreter plan its memory once.
"""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from converter import terminal
from converter.errors import Unusable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with terminal.silent_stderr():  # TensorFlow prints a banner
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

SIGNATURE: Final = "serving_default"

Shapes = Mapping[str, tuple[int, ...]]
"""Shape of each input, by its name."""

Samples = Callable[[], Iterator[dict[str, NDArray[Any]]]]
"""Returns the inputs of the model by name, anew at each call."""


def freeze(saved_model: Path, known: Shapes, into: Path) -> Path:
    """Write a copy of a SavedModel with constants for variables and these input shapes, and return its folder.

    Of `known` only what the model takes is used. Raises `Unusable` for an input that is not known or does not fit.
    """
    with _quiet():
        loaded = _load(saved_model)  # kept alive while its variables are read
        signature = loaded.signatures[SIGNATURE]
        specs = _specs(saved_model, signature, known)
        frozen = convert_variables_to_constants_v2(signature)
        names = sorted(signature.structured_outputs)  # a dict's tensors are flattened in the order of its keys

        def serve(**inputs: Any) -> dict[str, Any]:
            return dict(zip(names, frozen(**inputs), strict=True))

        module = tf.Module()
        module.frozen = frozen
        concrete = tf.function(serve).get_concrete_function(**specs)
        tf.saved_model.save(module, str(into), signatures={SIGNATURE: concrete})
    return into


def float32(frozen: Path) -> bytes:
    """Convert without quantization."""
    return _convert(_converter(frozen))


def dynamic_range(frozen: Path, *, scale_per_output: bool = True) -> bytes:
    """Convert with int8 weights; activations are quantized as they come, inputs and outputs stay float32.

    Without `scale_per_output` a dense layer has one scale for all of its weights, as older interpreters need it.
    """
    converter = _converter(frozen)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    # A private attribute, and the only way: TensorFlow 2.16 began to quantize dense layers per channel.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = not scale_per_output
    return _convert(converter)


def full_int8(frozen: Path, samples: Samples, *, uint8_input: bool = False) -> bytes:
    """Convert to int8 throughout, with ranges calibrated on samples.

    Outputs stay float32, and so do inputs unless `uint8_input`.
    """
    converter = _converter(frozen)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8 if uint8_input else tf.float32
    return _convert(converter)


def _converter(frozen: Path) -> Any:
    return tf.lite.TFLiteConverter.from_saved_model(str(frozen), signature_keys=[SIGNATURE])


def _convert(converter: Any) -> bytes:
    with _quiet():
        return bytes(converter.convert())


def _load(saved_model: Path) -> Any:
    try:
        loaded = tf.saved_model.load(str(saved_model))
    except (tf.errors.OpError, OSError, RuntimeError, ValueError) as error:
        complaint = str(error).strip().partition("\n")[0]
        raise Unusable(f"{saved_model}: {complaint}; run `wordcam-train export` again") from error
    if SIGNATURE not in loaded.signatures:
        raise Unusable(f"{saved_model}: no signature `{SIGNATURE}`; run `wordcam-train export` again")
    return loaded


def _specs(saved_model: Path, signature: Any, known: Shapes) -> dict[str, Any]:
    specs = {}
    for name, spec in signature.structured_input_signature[1].items():
        if name not in known:
            raise Unusable(f"{saved_model}: takes `{name}`, which is none of {', '.join(sorted(known))}")
        if not spec.shape.is_compatible_with(known[name]):
            raise Unusable(f"{saved_model}: `{name}` is {spec.shape}, it should take {known[name]}")
        specs[name] = tf.TensorSpec(known[name], spec.dtype, name=name)
    return specs


@contextmanager
def _quiet() -> Iterator[None]:
    with terminal.silent_stderr(), warnings.catch_warnings():
        # TensorFlow's own calibrator still uses the interpreter that it tells others to leave.
        warnings.filterwarnings("ignore", message=r"(?s).*tf\.lite\.Interpreter is deprecated", category=UserWarning)
        yield


def pin_pixel_range(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a picture [1, H, W, 3] a black and a white corner point.

    Its range is then 0 to 255, the input's scale comes out as 1, and raw uint8 pixels are the quantized input.
    """
    pinned = image.copy()
    pinned[0, 0, 0], pinned[0, -1, -1] = 0.0, 255.0
    return pinned
