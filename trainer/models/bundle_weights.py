"""Reads the networks of a bundle back, to fine-tune a model without its run.

Int8 weights become float32 again, each by its scale (Jacob et al. 2018, arXiv 1712.05877, equation 1); a convolution's
batch normalisation was folded into it, and is taken out again with the statistics that the new network has.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt
from tensorflow.lite.python import schema_py_generated as schema

from contract import vocabulary
from contract.bundle import Role
from trainer.errors import CheckpointError
from trainer.recipe.initial_bundle import InitialBundle

Floats = npt.NDArray[np.float32]

LAYER: Final = re.compile(r"/([A-Za-z0-9_]+?)_1/(?:convolution|depthwise|MatMul|Tensordot/MatMul)")
"""Where TensorFlow writes a layer's name into a tensor's: `.../detector_1/up1_conv_1/convolution`."""

KINDS: Final[Mapping[int, type[Any]]] = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.INT32: np.int32,
}

CONVOLUTIONS: Final = (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.DEPTHWISE_CONV_2D)

PHRASES: Final = "phrases_1/"
"""Where TensorFlow writes the name of the phrase predictor into its layers'."""

TIED: Final = ""
"""Key of the output that shares its weights with the embedding: it has no layer name of its own."""

LEAST_SCALE: Final = 1e-3
"""A channel that batch normalisation scales by less is given a scale of 1: dividing by it would only amplify noise."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What one layer multiplies by, and adds, in the layout of Keras."""

    kernel: Floats
    bias: Floats | None


@dataclass(frozen=True, slots=True)
class Network:
    """The constants of one .tflite file."""

    layers: Mapping[str, Weights]
    """By the name of the layer, or `TIED`."""
    constants: Mapping[str, Floats]
    """Every other constant, by the name of its tensor."""


def network(bundle: InitialBundle, role: Role) -> Network:
    """Return the constants of one of a bundle's networks; raises `CheckpointError` where the file is not readable."""
    path = bundle.folder / bundle.manifest.files[role].name
    try:
        return read(path.read_bytes())
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise CheckpointError(f"{path}: not a network that can be trained further: {error!r}") from error


def encoder(bundle: InitialBundle, model: Any, early: frozenset[str]) -> None:
    """Put the bundle's weights into an encoder; layers named in `early` keep their own."""
    found = network(bundle, "encoder").layers
    _convolutions(model, found, [layer for layer in model.layers if layer.name not in early], bundle.folder)


def captioner(bundle: InitialBundle, model: Any, words: vocabulary.Vocabulary) -> None:
    """Put the bundle's weights into a captioner; a word that the bundle does not know keeps its own."""
    first, step = network(bundle, "decoder_init"), network(bundle, "decoder_step")
    _normalisation(model.norm, first, "norm", bundle.folder)
    for layer in (model.keys, model.values, model.first):
        _dense(layer, first.layers, bundle.folder)
    for layer in (model.query, model.relevance, model.focus, model.token_gates, model.context_gates):
        _dense(layer, step.layers, bundle.folder)
    for layer in (model.state_gates, model.spoken):
        _dense(layer, step.layers, bundle.folder)
    tied = step.layers[TIED]
    columns = [bundle.words.ids.get(word, -1) for word in words.words]
    embedding = _chosen(tied.kernel, columns, np.asarray(model.embedding.get_weights()[0]).T)
    _set(model.embedding, [embedding.T], bundle.folder)
    assert tied.bias is not None  # noqa: S101 - the captioner adds a bias to every word
    model.bias.assign(_chosen(tied.bias, columns, np.asarray(model.bias)))


def evidence(bundle: InitialBundle, model: Any, dangers: Sequence[str]) -> None:
    """Put the bundle's weights into a classifier; a hazard that the bundle does not have keeps its own.

    Changes nothing for a bundle without evidence.
    """
    if not bundle.manifest.evidence:
        return
    found = network(bundle, "decoder_init")
    _normalisation(model.get_layer("norm"), found, "evidence_1/norm", bundle.folder)
    _dense(model.get_layer("hidden"), found.layers, bundle.folder)
    _outputs(model.get_layer("odds"), found.layers["odds"], list(bundle.manifest.evidence), dangers, bundle.folder)


def detector(bundle: InitialBundle, model: Any, classes: Sequence[str]) -> None:
    """Put the bundle's weights into a detector; a class that the bundle does not have keeps its own.

    Changes nothing for a bundle without a detector.
    """
    if bundle.manifest.detection is None:
        return
    found = network(bundle, "detector").layers
    kinds = [layer for layer in model.layers if layer.name.endswith("_odds")]
    _convolutions(model, found, [layer for layer in model.layers if layer not in kinds], bundle.folder)
    for layer in kinds:
        _outputs(layer, found[layer.name], bundle.manifest.detection.classes, classes, bundle.folder)


def recalibrate_batch_norm(network: Any, inputs: Any) -> None:
    """Set a network's batch normalisations to the statistics of these inputs, without changing what it computes.

    A bundle holds them folded away; training normalises each batch by its own statistics and would otherwise start
    from another network.
    """
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    before = keras.Model(network.input, [layer.input for layer in norms])(inputs, training=False)
    for layer, values in zip(norms, before, strict=True):
        gamma, beta, mean, variance = (np.asarray(part) for part in layer.get_weights())
        seen = np.asarray(values, np.float32).reshape(-1, values.shape[-1])
        scale = gamma / np.sqrt(variance + layer.epsilon)
        moved, spread = seen.mean(0), seen.var(0)
        layer.set_weights([scale * np.sqrt(spread + layer.epsilon), beta + scale * (moved - mean), moved, spread])


def read(data: bytes) -> Network:
    """Read a .tflite file's constants (the format is TensorFlow's `lite/schema/schema.fbs`)."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    graph = model.subgraphs[0]
    values = {number: _values(model, tensor) for number, tensor in enumerate(graph.tensors)}
    layers, used = {}, set()
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        if kind not in (*CONVOLUTIONS, schema.BuiltinOperator.FULLY_CONNECTED):
            continue
        at, added = int(operator.inputs[1]), int(operator.inputs[2]) if len(operator.inputs) > 2 else -1
        kernel, bias = values[at], values.get(added)
        if kernel is None:
            continue
        full_name = graph.tensors[at].name.decode()
        named = LAYER.search(full_name)
        name = named[1] if named else TIED
        if PHRASES in full_name:  # its first layer is called as the captioner's is
            name = PHRASES + name
        layers[name] = Weights(kernel.transpose(1, 2, 3, 0) if kind in CONVOLUTIONS else kernel.T, bias)
        used |= {at, added}
    rest = {graph.tensors[at].name.decode(): value for at, value in values.items() if value is not None}
    return Network(layers, rest)


def _values(model: Any, tensor: Any) -> Floats | None:
    data = model.buffers[tensor.buffer].data
    if data is None or tensor.type not in KINDS:
        return None
    values = np.frombuffer(bytes(data), KINDS[tensor.type]).reshape(tensor.shape if tensor.shape is not None else ())
    quantization = tensor.quantization
    if quantization is None or quantization.scale is None or tensor.type == schema.TensorType.FLOAT32:
        return values.astype(np.float32)
    shape = [1] * values.ndim
    if len(quantization.scale) > 1:
        shape[quantization.quantizedDimension] = -1
    scale, zero = (np.asarray(part, np.float32).reshape(shape) for part in (quantization.scale, quantization.zeroPoint))
    return np.asarray((values.astype(np.float32) - zero) * scale, np.float32)


def _convolutions(network: Any, found: Mapping[str, Weights], layers: Sequence[Any], origin: Path) -> None:
    by_name = {layer.name: layer for layer in network.layers}
    for layer in layers:
        if not hasattr(layer, "kernel"):
            continue
        if layer.name not in found:
            raise CheckpointError(f"{origin}: has no layer {layer.name}; it is another network's")
        weights = found[layer.name]
        norm = by_name.get(f"{layer.name.removesuffix('_conv')}_bn") if layer.name.endswith("_conv") else None
        if norm is None:
            _set(layer, [weights.kernel, weights.bias][: len(layer.get_weights())], origin)
        else:
            _unfold(layer, norm, weights, origin)


def _unfold(layer: Any, norm: Any, weights: Weights, origin: Path) -> None:
    """Unfold a convolution into kernel and batch normalisation, which keeps its mean and variance."""
    gamma, _, mean, variance = (np.asarray(part) for part in norm.get_weights())
    spread = np.sqrt(variance + norm.epsilon)
    gamma = np.where(np.abs(gamma / spread) < LEAST_SCALE, spread, gamma)
    scale = gamma / spread
    depthwise = layer.kernel.shape[-1] == 1 and weights.kernel.shape[-2] == len(scale)
    kernel = weights.kernel / (scale[:, np.newaxis] if depthwise else scale)
    beta = (0.0 if weights.bias is None else weights.bias) + mean * scale
    _set(layer, [kernel], origin)
    _set(norm, [gamma, beta, mean, variance], origin)


def _dense(layer: Any, found: Mapping[str, Weights], origin: Path) -> None:
    if layer.name not in found:
        raise CheckpointError(f"{origin}: has no layer {layer.name}; it is another network's")
    weights = found[layer.name]
    _set(layer, [weights.kernel, weights.bias][: len(layer.get_weights())], origin)


def _normalisation(layer: Any, network: Network, name: str, origin: Path) -> None:
    scale, shift = (network.constants[f"StatefulPartitionedCall/{name}_1/{part}"] for part in ("Reshape", "Reshape_1"))
    _set(layer, [scale.ravel(), shift.ravel()], origin)


def _outputs(layer: Any, weights: Weights, old: Sequence[str], new: Sequence[str], origin: Path) -> None:
    """Set a last layer whose columns are named, each from the column of its name."""
    columns = [list(old).index(name) if name in old else -1 for name in new]
    parts = zip((weights.kernel, weights.bias), layer.get_weights(), strict=True)
    _set(layer, [_chosen(value, columns, np.asarray(own)) for value, own in parts], origin)


def _chosen(values: Any, columns: Sequence[int], own: Any) -> Any:
    """Return columns of the last axis by number; where that is -1, its own."""
    return np.where(np.array(columns) >= 0, values[..., np.maximum(columns, 0)], own)


def _set(layer: Any, values: Sequence[Any], origin: Path) -> None:
    try:
        layer.set_weights(values)
    except ValueError as error:
        raise CheckpointError(f"{origin}: {layer.name}: {error}") from error
