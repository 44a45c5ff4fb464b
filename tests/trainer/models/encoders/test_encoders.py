"""The encoders that a recipe may name."""

import numpy as np
import pytest

from trainer.errors import RecipeError
from trainer.models import encoders


@pytest.mark.parametrize(
    ("name", "side", "c3", "c4", "cells"),
    [
        pytest.param("efficientnet-lite0", 64, (8, 8, 40), (4, 4, 112), (4, 1280), id="efficientnet-lite0"),
        pytest.param("mobilenet-v3-large", 64, (8, 8, 240), (4, 4, 672), (4, 960), id="mobilenet-v3-large"),
        pytest.param("inception-v3", 107, (11, 11, 288), (5, 5, 768), (4, 2048), id="inception-v3"),
    ],
)
def test_every_encoder_gives_three_maps(
    name: str, side: int, c3: tuple[int, ...], c4: tuple[int, ...], cells: tuple[int, ...]
) -> None:
    example = np.random.default_rng(1).uniform(0, 255, (2, side, side, 3)).astype(np.float32)

    model = encoders.get(name).build(side, side, "")
    maps = {key: values.numpy() for key, values in model(example, training=False).items()}

    assert {key: values.shape for key, values in maps.items()} == {"c3": (2, *c3), "c4": (2, *c4), "cells": (2, *cells)}
    assert all(np.isfinite(values).all() for values in maps.values())
    assert model.input.name == "image"


def test_an_unknown_encoder_is_answered_with_those_there_are() -> None:
    with pytest.raises(RecipeError, match=r"'resnet' is none of efficientnet-lite0, .*mobilenet-v3-large"):
        encoders.get("resnet")
