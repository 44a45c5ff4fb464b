"""Features on disk: encoded once, taken up after a kill, and never mixed with another encoder's."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.trainer import small_data
from trainer.errors import CheckpointError, DataError
from trainer.recipe.recipe import Encoder
from trainer.recipe.run_dir import RunDir
from trainer.training import feature_cache
from trainer.training.augmentation import AugmentedImage
from trainer.training.feature_cache import FeatureRequest

LITE = Encoder(height=32, width=32, weights="imagenet", flips=False, batch_size=2)

COLOURS = ("red", "green", "blue", "white", "red")


pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
"""Keras 3.15 writes weights as NumPy 1 had it."""


def seen(paths: list[Path], **how: Any) -> list[AugmentedImage]:
    return [AugmentedImage(path, **how) for path in paths]


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return [small_data.image(tmp_path / f"{n}.png", colour) for n, colour in enumerate(COLOURS)]


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """A cache that holds `cells` of the images under the name `all`."""
    folder = tmp_path_factory.mktemp("encoded")
    paths = [small_data.image(folder / f"{n}.png", colour) for n, colour in enumerate(COLOURS)]
    feature_cache.cached(folder / "cache", LITE, FeatureRequest("all", seen(paths), ("cells",)))
    return folder / "cache", paths


def test_every_image_has_its_row_in_every_map(tmp_path: Path, paths: list[Path]) -> None:
    maps = feature_cache.cached(tmp_path / "cache", LITE, FeatureRequest("all", seen(paths), ("c3", "c4", "cells")))

    assert {name: values.shape for name, values in maps.items()} == {
        "c3": (5, 4, 4, 40),
        "c4": (5, 2, 2, 112),
        "cells": (5, 1, 1280),
    }
    assert {values.dtype for values in maps.values()} == {np.dtype(np.float16)}
    cells = maps["cells"]
    np.testing.assert_allclose(cells[0], cells[4], atol=1e-2)
    assert len({row.tobytes() for row in cells[:4]}) == 4


def test_images_are_whole_numbers_in_rgb_order_and_mirrored_on_request(paths: list[Path]) -> None:
    (batch,) = feature_cache.read_images(seen(paths[:1]), LITE)
    (mirrored,) = feature_cache.read_images(seen(paths[:1], mirrored=True), LITE)

    assert batch.shape == (1, 32, 32, 3)
    assert batch.numpy()[0, 0, 31].tolist() == list(small_data.COLOURS["red"])
    assert batch.numpy()[0, 0, 0].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(mirrored.numpy(), batch.numpy()[:, :, ::-1])


def test_a_part_of_an_image_fills_the_network_s_sight(paths: list[Path]) -> None:
    images = [
        AugmentedImage(paths[0], left=0.5, width=0.5),
        AugmentedImage(paths[0], left=0.25, top=0.4, width=0.0, height=0.0),
    ]
    (batch,) = feature_cache.read_images(images, LITE)

    assert np.unique(batch.numpy()[0].reshape(-1, 3), axis=0).tolist() == [list(small_data.COLOURS["red"])]
    assert np.unique(batch.numpy()[1]).tolist() == [0]


def test_the_same_seed_gives_the_same_light_and_another_another(paths: list[Path]) -> None:
    images = [
        AugmentedImage(paths[1], tint=3),
        AugmentedImage(paths[1], tint=3),
        AugmentedImage(paths[1], tint=4),
        AugmentedImage(paths[1]),
    ]
    pixels = np.concatenate([batch.numpy() for batch in feature_cache.read_images(images, LITE)])

    np.testing.assert_array_equal(pixels[0], pixels[1])
    assert not np.array_equal(pixels[0], pixels[2])
    assert not np.array_equal(pixels[0], pixels[3])
    assert 0 <= pixels.min() <= pixels.max() <= 255
    np.testing.assert_array_equal(pixels, np.round(pixels))


def test_an_encoder_that_the_run_has_tuned_takes_the_place_of_the_recipe_s(tmp_path: Path, paths: list[Path]) -> None:
    run = RunDir(tmp_path / "run")
    run.folder.mkdir()
    plain = feature_cache.build_encoder(feature_cache.tuned(LITE, run))
    tuned = feature_cache.build_encoder(LITE)
    tuned.get_layer("head_conv").set_weights([0 * values for values in tuned.get_layer("head_conv").get_weights()])
    tuned.save_weights(run.encoder)

    loaded = feature_cache.build_encoder(feature_cache.tuned(LITE, run))

    (pixels,) = feature_cache.read_images(seen(paths[:1]), LITE)
    np.testing.assert_allclose(loaded(pixels)["cells"], tuned(pixels)["cells"], atol=1e-5)
    assert not np.allclose(plain(pixels)["cells"], loaded(pixels)["cells"], atol=1e-2)
    assert run.features.name == "features-tuned"


def test_weights_of_another_network_are_refused_by_name(tmp_path: Path) -> None:
    other = tmp_path / "encoder.weights.h5"
    other.write_bytes(b"nothing of the kind")

    with pytest.raises(
        CheckpointError, match=r"encoder\.weights\.h5: not weights of efficientnet-lite0; tune it again"
    ):
        feature_cache.build_encoder(msgspec.structs.replace(LITE, weights=str(other)))


def test_a_mirrored_view_has_features_of_its_own(tmp_path: Path, paths: list[Path]) -> None:
    plain = feature_cache.cached(tmp_path, LITE, FeatureRequest("plain", seen(paths[:2]), ("c3",)))["c3"]
    mirrored = feature_cache.cached(
        tmp_path, LITE, FeatureRequest("mirrored", seen(paths[:2], mirrored=True), ("c3",))
    )["c3"]

    assert not np.allclose(plain, mirrored, atol=0.1)


def test_what_is_on_disk_is_not_encoded_again(encoded: tuple[Path, list[Path]], tmp_path: Path) -> None:
    cache, paths = encoded
    gone = [tmp_path / path.name for path in paths]

    maps = feature_cache.cached(cache, LITE, FeatureRequest("all", seen(gone), ("cells",)))

    np.testing.assert_array_equal(maps["cells"], np.load(cache / "all" / "cells.npy"))


def test_a_cut_run_goes_on_where_it_was_and_ends_the_same(tmp_path: Path, paths: list[Path]) -> None:
    whole = feature_cache.cached(tmp_path / "whole", LITE, FeatureRequest("all", seen(paths), ("c4", "cells")))
    wanted = FeatureRequest("all", seen(paths), ("c4", "cells"))
    good = paths[3].read_bytes()
    paths[3].write_bytes(b"not yet an image")
    with pytest.raises(DataError, match=r"3\.png"):
        feature_cache.cached(tmp_path / "cut", LITE, wanted)
    assert json.loads((tmp_path / "cut" / "all" / "cache.json").read_text())["done"] == 2
    paths[3].write_bytes(good)
    paths[0].write_bytes(b"not needed any more")

    resumed = feature_cache.cached(tmp_path / "cut", LITE, wanted)

    for name, values in whole.items():
        np.testing.assert_allclose(resumed[name], values, atol=1e-3)


def test_a_run_cut_before_its_first_rows_leaves_nothing_in_the_way_of_another_size(
    tmp_path: Path, paths: list[Path]
) -> None:
    good = paths[0].read_bytes()
    paths[0].write_bytes(b"")
    with pytest.raises(DataError, match=r"0\.png: not an image that can be decoded"):
        feature_cache.cached(tmp_path, LITE, FeatureRequest("all", seen(paths), ("cells",)))
    paths[0].write_bytes(good)

    larger = msgspec.structs.replace(LITE, height=64, width=64)
    maps = feature_cache.cached(tmp_path, larger, FeatureRequest("all", seen(paths), ("cells",)))

    assert maps["cells"].shape == (5, 4, 1280)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        pytest.param({"height": 64, "width": 64}, {}, id="another size"),
        pytest.param({"weights": ""}, {}, id="other weights"),
        pytest.param({}, {"how": {"mirrored": True}}, id="mirrored"),
        pytest.param({}, {"how": {"left": 0.5, "width": 0.5}}, id="a part"),
        pytest.param({}, {"how": {"tint": 7}}, id="other light"),
        pytest.param({}, {"maps": ("c3", "cells")}, id="more maps"),
        pytest.param({}, {"paths": [Path("0.png")]}, id="other images"),
    ],
)
def test_features_of_something_else_are_refused(
    encoded: tuple[Path, list[Path]], change: dict[str, Any], wanted: dict[str, Any]
) -> None:
    cache, paths = encoded
    images = seen(wanted.get("paths", paths), **wanted.get("how", {}))

    with pytest.raises(CheckpointError, match=r"all: features of another encoder or other images; remove it"):
        feature_cache.cached(
            cache,
            msgspec.structs.replace(LITE, **change),
            FeatureRequest("all", images, wanted.get("maps", ("cells",))),
        )


def test_a_damaged_progress_file_is_named(tmp_path: Path, paths: list[Path]) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "cache.json").write_text("{")

    with pytest.raises(CheckpointError, match=r"cache\.json: .*remove .*all to encode the images again"):
        feature_cache.cached(tmp_path, LITE, FeatureRequest("all", seen(paths), ("cells",)))


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8\xff\xe0 broken", b"GIF89a", None], ids=["empty", "jpeg", "gif", "gone"]
)
def test_an_image_that_cannot_be_decoded_is_named(tmp_path: Path, paths: list[Path], content: bytes | None) -> None:
    broken = paths[2].with_suffix(".jpg")
    if content is not None:
        broken.write_bytes(content)

    with pytest.raises(DataError, match=r"2\.jpg: not an image that can be decoded"):
        list(feature_cache.read_images(seen([*paths[:2], broken, paths[3]]), LITE))
