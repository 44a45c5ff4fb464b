"""What is inside a bundle, read without running it."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec
from ai_edge_litert import schema_py_generated as schema

from contract import bundle
from converter.errors import Unusable
from edge.infer import runtime


class Port(msgspec.Struct, frozen=True):
    """One input or output of a model."""

    name: str
    """As the signature calls it."""
    shape: tuple[int, ...]
    """Size along each axis."""
    dtype: str
    """Type of its numbers."""


class Model(msgspec.Struct, frozen=True):
    """One .tflite file."""

    operators: dict[str, int]
    """How often each operator stands in the graph, the most frequent first."""
    weights: dict[str, int]
    """Bytes of constants by the type of their numbers."""
    inputs: tuple[Port, ...]
    """What it takes."""
    outputs: tuple[Port, ...]
    """What it gives."""


class Anatomy(msgspec.Struct, frozen=True):
    """A bundle."""

    manifest: bundle.Manifest
    """What it says of itself, checked against the files."""
    models: dict[bundle.Role, Model]
    """Its .tflite files."""


def read(folder: Path) -> Anatomy:
    """Look into a bundle; raises `contract.errors.Refused`, `runtime.NotAModel` or `Unusable` naming the file."""
    manifest = bundle.load(folder)
    files = {role: file for role, file in manifest.files.items() if file.name.endswith(".tflite")}
    return Anatomy(manifest, {role: _model(folder / file.name) for role, file in files.items()})


def _model(path: Path) -> Model:
    loaded = runtime.load(path)
    try:
        graph = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
        operators, weights = _operators(graph), _weights(graph)
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise Unusable(f"{path}: not a TFLite file: {error}") from error
    return Model(operators, weights, _ports(loaded.inputs), _ports(loaded.outputs))


def _ports(tensors: Mapping[str, runtime.Tensor]) -> tuple[Port, ...]:
    return tuple(Port(name, tensor.shape, tensor.dtype.name) for name, tensor in tensors.items())


def _operators(graph: schema.ModelT) -> dict[str, int]:
    """Count operators of all subgraphs; see `BuiltinOperator` in TensorFlow Lite's schema.fbs."""
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    kinds = [names.get(max(code.builtinCode, code.deprecatedBuiltinCode), "?") for code in graph.operatorCodes]
    found = Counter(kinds[operator.opcodeIndex] for part in graph.subgraphs for operator in part.operators)
    return dict(found.most_common())


def _weights(graph: schema.ModelT) -> dict[str, int]:
    """Add up the bytes of constant tensors, by type."""
    names = {value: name.lower() for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
    found = Counter[str]()
    for part in graph.subgraphs:
        for tensor in part.tensors:
            data = graph.buffers[tensor.buffer].data
            if data is not None:
                found[names[tensor.type]] += len(data)
    return dict(found.most_common())
