"""The rendered image set: the same for a seed, and true to its captions and boxes."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from trainer.data import synthetic


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sample")
    synthetic.write(made)
    return made


def test_a_seed_gives_the_same_files_and_another_gives_others(folder: Path, tmp_path: Path) -> None:
    synthetic.write(tmp_path / "same")
    synthetic.write(tmp_path / "other", seed=2)

    name = Path("images") / "train-000.jpg"
    assert (tmp_path / "same" / name).read_bytes() == (folder / name).read_bytes()
    assert (tmp_path / "other" / name).read_bytes() != (folder / name).read_bytes()
    assert (tmp_path / "same" / "captions_val.json").read_text() == (folder / "captions_val.json").read_text()


def test_captions_and_boxes_say_what_is_on_the_image(folder: Path) -> None:
    captions = json.loads((folder / "captions_val.json").read_text())
    instances = json.loads((folder / "instances_val.json").read_text())
    names = {category["id"]: category["name"] for category in instances["categories"]}
    sentences = {note["image_id"]: note["caption"].split() for note in captions["annotations"][::2]}

    for image, instance in zip(captions["images"], instances["annotations"], strict=True):
        encoded = np.fromfile(folder / "images" / image["file_name"], np.uint8)
        pixels = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB), float)
        _, colour, shape, _, _, ground, _, _ = sentences[image["id"]]
        left, top, width, height = (int(side) for side in instance["bbox"])
        inside = pixels[top + height // 2, left + width // 2 - 4 : left + width // 2 + 4].mean(0)
        corner = pixels[0 if top > 8 else -1, 0 if left > 8 else -1]

        assert shape == names[instance["category_id"]]
        assert np.abs(inside - synthetic.COLOURS[colour]).max() < 30
        assert np.abs(corner - synthetic.COLOURS[ground]).max() < 70
        assert left >= 0
        assert top >= 0
        assert max(left + width, top + height) <= synthetic.SIDE
