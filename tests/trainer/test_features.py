"""Features on disk: encoded once, taken up after a kill, and never mixed with another encoder's."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.trainer import small_data
from trainer import features
from trainer.errors import CheckpointError, DataError
from trainer.features import Wanted
from trainer.recipe import Encoder

LITE = Encoder(height=32, width=32, weights="imagenet", flips=False, batch=2)

COLOURS = ("red", "green", "blue", "white", "red")


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return [small_data.picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(COLOURS)]


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """A cache that holds `cells` of the pictures under the name `all`."""
    folder = tmp_path_factory.mktemp("encoded")
    paths = [small_data.picture(folder / f"{n}.png", colour) for n, colour in enumerate(COLOURS)]
    features.cached(folder / "cache", LITE, Wanted("all", paths, ("cells",)))
    return folder / "cache", paths


def test_every_picture_has_its_row_in_every_map(tmp_path: Path, paths: list[Path]) -> None:
    maps = features.cached(tmp_path / "cache", LITE, Wanted("all", paths, ("c3", "c4", "cells")))

    assert {name: values.shape for name, values in maps.items()} == {
        "c3": (5, 4, 4, 40),
        "c4": (5, 2, 2, 112),
        "cells": (5, 1, 1280),
    }
    assert {values.dtype for values in maps.values()} == {np.dtype(np.float16)}
    cells = maps["cells"]
    np.testing.assert_allclose(cells[0], cells[4], atol=1e-2)
    assert len({row.tobytes() for row in cells[:4]}) == 4


def test_pictures_are_whole_numbers_in_rgb_order_and_mirrored_on_request(paths: list[Path]) -> None:
    (batch,) = features.read_pictures(paths[:1], LITE)
    (mirrored,) = features.read_pictures(paths[:1], LITE, mirrored=True)

    assert batch.shape == (1, 32, 32, 3)
    assert batch.numpy()[0, 0, 31].tolist() == list(small_data.COLOURS["red"])
    assert batch.numpy()[0, 0, 0].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(mirrored.numpy(), batch.numpy()[:, :, ::-1])


def test_a_mirrored_view_has_features_of_its_own(tmp_path: Path, paths: list[Path]) -> None:
    plain = features.cached(tmp_path, LITE, Wanted("plain", paths[:2], ("c3",)))["c3"]
    mirrored = features.cached(tmp_path, LITE, Wanted("mirrored", paths[:2], ("c3",), mirrored=True))["c3"]

    assert not np.allclose(plain, mirrored, atol=0.1)


def test_what_is_on_disk_is_not_encoded_again(encoded: tuple[Path, list[Path]], tmp_path: Path) -> None:
    cache, paths = encoded
    gone = [tmp_path / path.name for path in paths]

    maps = features.cached(cache, LITE, Wanted("all", gone, ("cells",)))

    np.testing.assert_array_equal(maps["cells"], np.load(cache / "all" / "cells.npy"))


def test_a_cut_run_goes_on_where_it_was_and_ends_the_same(tmp_path: Path, paths: list[Path]) -> None:
    whole = features.cached(tmp_path / "whole", LITE, Wanted("all", paths, ("c4", "cells")))
    wanted = Wanted("all", paths, ("c4", "cells"))
    good = paths[3].read_bytes()
    paths[3].write_bytes(b"not yet a picture")
    with pytest.raises(DataError, match=r"3\.png"):
        features.cached(tmp_path / "cut", LITE, wanted)
    assert json.loads((tmp_path / "cut" / "all" / "cache.json").read_text())["done"] == 2
    paths[3].write_bytes(good)
    paths[0].write_bytes(b"not needed any more")

    resumed = features.cached(tmp_path / "cut", LITE, wanted)

    for name, values in whole.items():
        np.testing.assert_allclose(resumed[name], values, atol=1e-3)


def test_a_run_cut_before_its_first_rows_leaves_nothing_in_the_way_of_another_size(
    tmp_path: Path, paths: list[Path]
) -> None:
    good = paths[0].read_bytes()
    paths[0].write_bytes(b"")
    with pytest.raises(DataError, match=r"0\.png: not a picture that can be decoded"):
        features.cached(tmp_path, LITE, Wanted("all", paths, ("cells",)))
    paths[0].write_bytes(good)

    larger = msgspec.structs.replace(LITE, height=64, width=64)
    maps = features.cached(tmp_path, larger, Wanted("all", paths, ("cells",)))

    assert maps["cells"].shape == (5, 4, 1280)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        pytest.param({"height": 64, "width": 64}, {}, id="another size"),
        pytest.param({"weights": ""}, {}, id="other weights"),
        pytest.param({}, {"mirrored": True}, id="mirrored"),
        pytest.param({}, {"maps": ("c3", "cells")}, id="more maps"),
        pytest.param({}, {"paths": [Path("0.png")]}, id="other pictures"),
    ],
)
def test_features_of_something_else_are_refused(
    encoded: tuple[Path, list[Path]], change: dict[str, Any], wanted: dict[str, Any]
) -> None:
    cache, paths = encoded
    other = {"paths": paths, "maps": ("cells",), **wanted}

    with pytest.raises(CheckpointError, match=r"all: features of another encoder or other pictures; remove it"):
        features.cached(cache, msgspec.structs.replace(LITE, **change), Wanted("all", **other))


def test_a_damaged_progress_file_is_named(tmp_path: Path, paths: list[Path]) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "cache.json").write_text("{")

    with pytest.raises(CheckpointError, match=r"cache\.json: .*remove .*all to encode the pictures again"):
        features.cached(tmp_path, LITE, Wanted("all", paths, ("cells",)))


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8\xff\xe0 broken", b"GIF89a", None], ids=["empty", "jpeg", "gif", "gone"]
)
def test_a_picture_that_cannot_be_decoded_is_named(tmp_path: Path, paths: list[Path], content: bytes | None) -> None:
    broken = paths[2].with_suffix(".jpg")
    if content is not None:
        broken.write_bytes(content)

    with pytest.raises(DataError, match=r"2\.jpg: not a picture that can be decoded"):
        list(features.read_pictures([*paths[:2], broken, paths[3]], LITE))
