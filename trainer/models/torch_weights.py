"""Reads the tensors of a PyTorch state dict without PyTorch, and without running what a pickle asks for.

Two layouts exist: the legacy stream of pickles followed by raw storages (PyTorch before 1.6), and a zip archive with
`data.pkl` and one member a storage (since 1.6). Both are described by `torch.serialization` in PyTorch's sources.
"""

import io
import math
import pickle
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from trainer.errors import DataError

MAGIC: Final = 0x1950A86A20F9469CFC6C
"""First pickle of the legacy layout."""

DTYPES: Final[Mapping[str, str]] = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ByteStorage": "u1",
}
"""Storage classes that hold plain numbers."""

MAX_NUMBERS: Final = 1 << 28
"""Most numbers in one tensor: 1 GiB of float32, ten times the largest layer of any encoder here."""

DAMAGED: Final = (
    *(pickle.UnpicklingError, zipfile.BadZipFile, zlib.error, EOFError, MemoryError, RuntimeError),
    *(ArithmeticError, AttributeError, ImportError, LookupError, TypeError, ValueError),
)
"""What a damaged pickle or archive raises, by the documentation of both modules and by trying it."""

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of numbers, known by its key until its bytes are read."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True, slots=True)
class TensorView:
    """A tensor as a window into a storage; offsets and strides count elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild(storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object) -> TensorView:
    return TensorView(storage, offset, tuple(shape), tuple(strides))


class Unpickler(pickle.Unpickler):
    """Builds ordered dictionaries and tensor views, and refuses every other class or function by name."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a class or function that a pickle may call; raises `UnpicklingError` for any other."""
        allowed: dict[tuple[str, str], Callable[..., Any] | str] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
            **{("torch", storage): dtype for storage, dtype in DTYPES.items()},
        }
        try:
            return allowed[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} has no business in a state dict") from None

    def persistent_load(self, pid: Any) -> Storage:
        """Return the storage that a persistent id stands for: ("storage", dtype, key, device, count, ...)."""
        kind, dtype, key, _, count = pid[:5]
        if kind != "storage" or not isinstance(dtype, str):
            raise pickle.UnpicklingError(f"{kind!r} is not a tensor storage")
        return Storage(str(key), dtype, int(count))


def read(path: Path) -> dict[str, Array]:
    """Return every tensor of a state dict by name, as NumPy arrays.

    Raises `DataError` naming the file where it is missing, cut short, or wants to run code.
    """
    try:
        if zipfile.is_zipfile(path):
            return _read_zip(path)
        with path.open("rb") as stream:
            return _read_legacy(stream)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except DAMAGED as error:
        raise DataError(f"{path}: not a PyTorch state dict: {error}") from error


def _read_zip(path: Path) -> dict[str, Array]:
    with zipfile.ZipFile(path) as archive:
        root = next((name for name in archive.namelist() if name.endswith("data.pkl")), None)
        if root is None:
            raise zipfile.BadZipFile("the archive holds no data.pkl")
        root = root.removesuffix("data.pkl")
        views = _views(Unpickler(io.BytesIO(archive.read(f"{root}data.pkl"))).load())
        return _resolve(views, lambda storage: archive.read(f"{root}data/{storage.key}"))


def _read_legacy(stream: BinaryIO) -> dict[str, Array]:
    if Unpickler(stream).load() != MAGIC:
        raise pickle.UnpicklingError("the first number is not PyTorch's")
    Unpickler(stream).load()  # protocol version
    Unpickler(stream).load()  # sizes of the writer's integers; the raw data is little-endian all the same
    views = _views(Unpickler(stream).load())
    keys = Unpickler(stream).load()
    sizes = {view.storage.key: np.dtype(view.storage.dtype).itemsize for view in views.values()}
    data = {}
    for key in keys:
        count = int(np.frombuffer(stream.read(8), "<i8")[0])
        data[key] = stream.read(count * sizes[key])
    return _resolve(views, lambda storage: data[storage.key])


def _views(state: Any) -> dict[str, TensorView]:
    if not isinstance(state, dict):
        raise pickle.UnpicklingError(f"a {type(state).__name__}, no dictionary of tensors")
    for name, view in state.items():
        if not isinstance(view, TensorView):
            raise pickle.UnpicklingError(f"{name!r} is {type(view).__name__}, no tensor")
    return state


def _resolve(views: Mapping[str, TensorView], read_bytes: Callable[[Storage], bytes]) -> dict[str, Array]:
    return {name: _array(view, read_bytes(view.storage)) for name, view in views.items()}


def _array(view: TensorView, data: bytes) -> Array:
    """Copy what the view shows; `as_strided` would follow it out of the storage, so that is refused first."""
    flat = np.frombuffer(data, view.storage.dtype)
    count = math.prod(view.shape)
    last = view.offset + sum((size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True))
    if min(view.offset, *view.shape, *view.strides, 0) < 0 or count > MAX_NUMBERS or (count and last >= flat.size):
        window = f"shape {view.shape}, strides {view.strides}, offset {view.offset}"
        raise EOFError(f"a tensor of {window} reaches beyond its {flat.size} numbers")
    if not count:
        return np.zeros(view.shape, flat.dtype)
    strides = tuple(stride * flat.itemsize for stride in view.strides)
    return np.lib.stride_tricks.as_strided(flat[view.offset :], view.shape, strides).copy()
