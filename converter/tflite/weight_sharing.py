"""Stores a table once that a model holds twice: a decoder reads words by the rows that it scores them with.

The converter quantizes the table that is looked up with one scale and the one that is multiplied with a scale a row, so
that their bytes differ and both are stored. Here the multiplied one becomes the looked-up one: a megabyte less for
3,000 words of 320 numbers. Tensors share a buffer by naming the same one (TFLite's schema.fbs, `Tensor.buffer`).
"""

from collections.abc import Iterator
from typing import Any, Final

import flatbuffers  # type: ignore[import-untyped]  # it has no stubs
import numpy as np

from converter import terminal

with terminal.silent_stderr():
    from tensorflow.lite.python import schema_py_generated as schema

IDENTIFIER: Final = b"TFL3"
"""What every TFLite file begins with, four bytes in."""


def share_tables(model: bytes) -> bytes:
    """Return the model with one table wherever GATHER and FULLY_CONNECTED have the same, as far as int8 can tell."""
    tree = schema.ModelT.InitFromPackedBuf(model)
    shared = [pair for graph in tree.subgraphs for pair in _pairs(tree, graph)]
    if not shared:
        return model
    for looked_up, multiplied in shared:
        tree.buffers[multiplied.buffer].data = None
        multiplied.buffer = looked_up.buffer
        rows = len(multiplied.quantization.scale)
        multiplied.quantization.scale = np.repeat(looked_up.quantization.scale, rows)
    builder = flatbuffers.Builder(len(model))
    builder.Finish(tree.Pack(builder), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


def _pairs(tree: Any, graph: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (table looked up, table multiplied) of the same numbers."""
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in tree.operatorCodes]
    named: dict[int, list[Any]] = {schema.BuiltinOperator.GATHER: [], schema.BuiltinOperator.FULLY_CONNECTED: []}
    places = {schema.BuiltinOperator.GATHER: 0, schema.BuiltinOperator.FULLY_CONNECTED: 1}
    for operator in graph.operators:
        code = codes[operator.opcodeIndex]
        if code in named:
            named[code].append(graph.tensors[operator.inputs[places[code]]])
    for looked_up in filter(_is_table, named[schema.BuiltinOperator.GATHER]):
        for multiplied in filter(_is_table, named[schema.BuiltinOperator.FULLY_CONNECTED]):
            if looked_up.buffer != multiplied.buffer and _alike(tree, looked_up, multiplied):
                yield looked_up, multiplied


def _is_table(tensor: Any) -> bool:
    kept = tensor.type == schema.TensorType.INT8 and tensor.quantization is not None
    return kept and tensor.quantization.scale is not None and len(tensor.shape) == len(("rows", "columns"))


def _alike(tree: Any, looked_up: Any, multiplied: Any) -> bool:
    """Say whether two tables differ by no more than rounding to int8 explains."""
    if list(looked_up.shape) != list(multiplied.shape) or len(looked_up.quantization.scale) != 1:
        return False
    one, other = (_numbers(tree, tensor) for tensor in (looked_up, multiplied))
    return one is not None and other is not None and bool(np.abs(one - other).max() <= looked_up.quantization.scale[0])


def _numbers(tree: Any, tensor: Any) -> Any:
    data = tree.buffers[tensor.buffer].data
    if data is None:
        return None
    scale = np.asarray(tensor.quantization.scale, np.float32)
    return np.asarray(data, np.uint8).view(np.int8).reshape(tensor.shape).astype(np.float32) * scale[:, np.newaxis]
