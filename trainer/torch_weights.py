"""Reads the tensors of a PyTorch state dict without PyTorch, and without running what a pickle asks for.

Two layouts exist: the legacy stream of pickles followed by raw storages (PyTorch before 1.6), and a zip archive with
`data.pkl` and one member a storage (since 1.6). Both are described by `torch.serialization` in PyTorch's sources.
"""

import io
import pickle
import zipfile
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

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of numbers, known by its key until its bytes are read."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True, slots=True)
class View:
    """A tensor as a window into a storage; offsets and strides count elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild(storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object) -> View:
    return View(storage, offset, tuple(shape), tuple(strides))


class Unpickler(pickle.Unpickler):
    """Builds ordered dictionaries and tensor views, and refuses every other class or function by name."""

    def find_class(self, module: str, name: str) -> Any:
        """Give what a pickle may call; raises `UnpicklingError` for all else."""
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
        """Give the storage that a persistent id stands for: ("storage", dtype, key, device, count, ...)."""
        kind, dtype, key, _, count = pid[:5]
        if kind != "storage" or not isinstance(dtype, str):
            raise pickle.UnpicklingError(f"{kind!r} is not a tensor storage")
        return Storage(str(key), dtype, int(count))


def read(path: Path) -> dict[str, Array]:
    """Give every tensor of a state dict by name, as NumPy arrays.

    Raises `DataError` naming the file where it is missing, cut short, or wants to run code.
    """
    try:
        if zipfile.is_zipfile(path):
            return _read_zip(path)
        with path.open("rb") as stream:
            return _read_legacy(stream)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except (pickle.UnpicklingError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not a PyTorch state dict: {error}") from error


def _read_zip(path: Path) -> dict[str, Array]:
    with zipfile.ZipFile(path) as archive:
        root = next(name for name in archive.namelist() if name.endswith("data.pkl")).removesuffix("data.pkl")
        state = Unpickler(io.BytesIO(archive.read(f"{root}data.pkl"))).load()
        return _resolve(state, lambda storage: archive.read(f"{root}data/{storage.key}"))


def _read_legacy(stream: BinaryIO) -> dict[str, Array]:
    if Unpickler(stream).load() != MAGIC:
        raise pickle.UnpicklingError("the first number is not PyTorch's")
    Unpickler(stream).load()  # protocol version
    Unpickler(stream).load()  # sizes of the writer's integers; the raw data is little-endian all the same
    state = Unpickler(stream).load()
    keys = Unpickler(stream).load()
    sizes = {view.storage.key: np.dtype(view.storage.dtype).itemsize for view in state.values()}
    data = {}
    for key in keys:
        count = int(np.frombuffer(stream.read(8), "<i8")[0])
        data[key] = stream.read(count * sizes[key])
    return _resolve(state, lambda storage: data[storage.key])


def _resolve(state: Mapping[str, View], read_bytes: Callable[[Storage], bytes]) -> dict[str, Array]:
    return {name: _array(view, read_bytes(view.storage)) for name, view in state.items()}


def _array(view: View, data: bytes) -> Array:
    flat = np.frombuffer(data, view.storage.dtype)
    last = view.offset + sum((size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True))
    if last >= max(flat.size, 1):
        raise EOFError(f"a tensor of shape {view.shape} reaches beyond its {flat.size} numbers")
    strides = tuple(stride * flat.itemsize for stride in view.strides)
    return np.lib.stride_tricks.as_strided(flat[view.offset :], view.shape, strides).copy()
