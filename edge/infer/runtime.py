"""The one door to the TFLite interpreter: LiteRT, or tflite-runtime where only that is installed.

Both are the same runtime under two names and take the same files. The environment variable WORDCAM_TFLITE
(`litert` or `tflite-runtime`) chooses one; without it LiteRT is taken first, because its int8 kernels are faster.
"""

import contextlib
import importlib
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MODULES: Final[Mapping[str, str]] = {
    "litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
}
"""Where each runtime keeps its `Interpreter`, in the order of preference."""

log = logging.getLogger(__name__)

STDERR: Final = 2

SIGNATURE: Final = "serving_default"
"""The one signature of every model of a bundle."""


class NoRuntime(RuntimeError):
    """No TFLite interpreter can be imported; installing one mends it."""


class NotAModel(ValueError):
    """A file that the interpreter does not take, or a tensor that the model does not have."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output of a model."""

    index: int
    """Number of the tensor in the interpreter."""
    shape: tuple[int, ...]
    """Its size along each axis."""
    dtype: np.dtype[Any]
    """Type of its numbers."""


@dataclass(frozen=True, slots=True)
class Acceleration:
    """A library that runs models on something other than the processor: a TFLite external delegate."""

    library: str
    """Its file, by a path or as the loader of the system finds it: `libedgetpu.so.1`."""
    roles: frozenset[str]
    """Models that it is for, by their role in the bundle."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Passed to it as they are."""


class Model:
    """One .tflite file, ready to run.

    An input keeps its value from run to run until it is set again, so that what stays the same is copied once.
    """

    inputs: Mapping[str, Tensor]
    """Inputs by their name in the signature."""
    outputs: Mapping[str, Tensor]
    """Outputs by their name in the signature."""
    invoke_seconds: float
    """Time spent inside the interpreter since the model was loaded."""

    accelerated: bool
    """Whether an external delegate runs it, as far as it can; the processor does otherwise."""

    def __init__(self, path: Path, data: bytes, threads: int = 1, acceleration: Acceleration | None = None) -> None:
        """Load the bytes of a file; raises `NotAModel` naming it, or `NoRuntime`.

        Bytes, because a file that is mapped into memory and then becomes shorter ends the process. Where the delegate
        cannot be used, the processor runs the model, and a warning is logged.
        """
        self._path = path
        self.invoke_seconds = 0.0
        kind = _interpreter()
        try:
            accelerated = None if acceleration is None else _accelerated(kind, path, data, threads, acceleration)
            self.accelerated = accelerated is not None
            with _no_chatter():
                self._interpreter = accelerated or _allocated(kind(model_content=data, num_threads=threads))
                runner = self._interpreter.get_signature_runner(SIGNATURE)
        except (ValueError, RuntimeError, OSError) as error:
            raise NotAModel(f"{path}: {_first_line(error)}; {_remedy(error)}") from error
        self.inputs = _tensors(runner.get_input_details())
        self.outputs = _tensors(runner.get_output_details())
        self._views = {
            name: self._interpreter.tensor(tensor.index) for name, tensor in (self.inputs | self.outputs).items()
        }
        for name in self.inputs:
            self._views[name]()[...] = 0  # fresh memory holds anything, token ids out of the vocabulary too

    def set(self, name: str, value: Array) -> None:
        """Copy a value into an input; a value with fewer rows leaves the rows beyond it as they are.

        Raises `NotAModel` where the model has no such input or the shape does not fit.
        """
        try:
            self._views[name]()[: len(value)] = value
        except (KeyError, ValueError) as error:
            expected = {known: tensor.shape for known, tensor in self.inputs.items()}
            raise NotAModel(f"{self._path}: input {name} {value.shape} is not one of {expected}") from error

    def invoke(self) -> None:
        """Run the model on the inputs as they stand; raises `RuntimeError` where the interpreter fails."""
        begin = time.perf_counter()
        self._interpreter.invoke()
        self.invoke_seconds += time.perf_counter() - begin

    def get(self, name: str) -> Array:
        """Return a copy of an output, so that the next run cannot change it."""
        copy: Array = self._interpreter.get_tensor(self.outputs[name].index)
        return copy

    def copy(self, name: str, into: Array) -> None:
        """Copy an output into an array of its shape: for large outputs of many runs, cheaper than a new array each."""
        np.copyto(into, self._views[name]())

    def run(self, **values: Array) -> dict[str, Array]:
        """Set inputs by name, run the model, and return copies of all outputs by name."""
        for name, value in values.items():
            self.set(name, value)
        self.invoke()
        return {name: self.get(name) for name in self.outputs}


def _allocated(interpreter: Any) -> Any:
    interpreter.allocate_tensors()
    return interpreter


def _accelerated(kind: Any, path: Path, data: bytes, threads: int, wanted: Acceleration) -> Any | None:
    """Return an interpreter with the delegate; None where it cannot be used."""
    try:
        _require_delegate(wanted.library)
        with _no_chatter():
            delegate = importlib.import_module(kind.__module__).load_delegate(wanted.library, dict(wanted.options))
            return _allocated(kind(model_content=data, num_threads=threads, experimental_delegates=[delegate]))
    except (OSError, ValueError, RuntimeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200] or "it says no reason"
        log.warning("delegate not used", extra={"library": wanted.library, "model": path.name, "reason": reason})
        return None


def _require_delegate(library: str) -> None:
    """Raise `OSError` or `ValueError` where a library cannot be loaded, or is something else.

    The interpreter's own loader raises as well, and once more when what it made half is deleted.
    """
    import ctypes  # noqa: PLC0415  # only with a delegate

    if not hasattr(ctypes.CDLL(library), "tflite_plugin_create_delegate"):
        raise ValueError("the library is no TFLite delegate")


def load(path: Path, threads: int = 1) -> Model:
    """Load a .tflite file to run on this many threads; raises `NotAModel` or `NoRuntime`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotAModel(f"{path}: {error.strerror}") from error
    return Model(path, data, threads)


def name() -> str:
    """Say which runtime is in use: `litert` or `tflite-runtime`; raises `NoRuntime`."""
    module = _interpreter().__module__
    return next(known for known, where in MODULES.items() if where == module)


def _interpreter() -> Any:  # the class of whichever runtime is installed
    """Import the interpreter's class; raises `NoRuntime`."""
    wanted = os.environ.get("WORDCAM_TFLITE")
    if wanted is not None and wanted not in MODULES:
        raise NoRuntime(f"WORDCAM_TFLITE is {wanted!r}; use {' or '.join(MODULES)}")
    for known in [wanted] if wanted else MODULES:
        try:
            return importlib.import_module(MODULES[known]).Interpreter
        except ModuleNotFoundError:
            continue
    raise NoRuntime(f"no {wanted or 'TFLite interpreter'} is installed: {how_to_install(sys.maxsize)}")


def how_to_install(largest_index: int) -> str:
    """Say how an interpreter comes onto this system; `largest_index` is `sys.maxsize`."""
    if largest_index <= 2**31:
        return (
            "this Python is 32-bit, for which LiteRT has no wheels; install a 64-bit system "
            "(Raspberry Pi OS 64-bit; `getconf LONG_BIT` says 64 there)"
        )
    return "pip install 'wordcam[edge]'"


@contextlib.contextmanager
def _no_chatter() -> Iterator[None]:
    """Keep the interpreter's C++ from writing notes to stderr while it loads; what fails comes as an exception."""
    sys.stderr.flush()
    kept = os.dup(STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, STDERR)
        yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)
        os.close(nowhere)


def _tensors(details: Mapping[str, Mapping[str, Any]]) -> dict[str, Tensor]:
    return {
        known: Tensor(int(found["index"]), tuple(map(int, found["shape"])), np.dtype(found["dtype"]))
        for known, found in details.items()
    }


def _remedy(error: Exception) -> str:
    if "Didn't find op" in str(error):
        return (
            f"the model is newer than this {name()}: pip install 'wordcam[edge]' brings LiteRT, or convert the model "
            "with `runtime: tflite-runtime`"
        )
    return "convert the model again"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
