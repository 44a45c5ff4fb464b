"""`wordcam-train init`: a recipe for data as people have it, which `prepare` takes."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from trainer import cli
from trainer.recipe import recipe as recipes

NAMES = [f"{number:03}.jpg" for number in range(20)]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def images(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    for name in names:
        cv2.imwrite(str(folder / name), random.integers(0, 255, (40, 40, 3), np.uint8))


def coco(names: list[str]) -> str:
    return json.dumps(
        {
            "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
            "annotations": [{"image_id": number, "caption": "a dog runs"} for number in range(len(names))],
        }
    )


def instances(names: list[str]) -> str:
    return json.dumps(
        {
            "images": [
                {"id": number, "file_name": name, "width": 40, "height": 40} for number, name in enumerate(names)
            ],
            "annotations": [{"image_id": 0, "category_id": 1, "bbox": [1, 1, 9, 9]}],
            "categories": [{"id": 1, "name": "person"}],
        }
    )


def is_taken(recipe: str = "recipe.yaml") -> bool:
    return cli.main(["prepare", recipe, "--check"]) == 0


def test_a_csv_without_a_split_is_split(capsys: pytest.CaptureFixture[str]) -> None:
    images(Path("data/images"), NAMES)
    rows = "".join(f"{name},a dog runs\n" for name in NAMES)
    Path("data/captions.csv").write_text(f"file,caption\n{rows}", encoding="utf-8")

    assert cli.main(["init", "data"]) == 0

    train, val = (set(Path(f"{split}.txt").read_text().split()) for split in ("train", "val"))
    assert (len(train), len(val)) == (18, 2)
    assert train | val == set(NAMES)
    assert "One image in ten was held out" in capsys.readouterr().out
    assert is_taken()


def test_a_csv_with_a_split_is_taken_as_it_is() -> None:
    images(Path("data"), NAMES)
    rows = "".join(f"{name},한 사람이 걷고 있다,{'val' if name < '003' else 'train'}\n" for name in NAMES)
    Path("data/captions.csv").write_text(f"image,caption,split\n{rows}", encoding="utf-8-sig")

    assert cli.main(["init", "data"]) == 0

    source = recipes.load(Path("recipe.yaml"))
    assert source.language == "ko"
    assert source.data.captions[0].train == source.data.captions[0].val == Path("data/captions.csv").resolve()
    assert is_taken()


def test_a_coco_folder_is_found_with_its_boxes() -> None:
    images(Path("coco/images"), NAMES)
    Path("coco/annotations").mkdir()
    for split, names in (("train2017", NAMES[4:]), ("val2017", NAMES[:4])):
        Path(f"coco/annotations/captions_{split}.json").write_text(coco(names), encoding="utf-8")
        Path(f"coco/annotations/instances_{split}.json").write_text(instances(names), encoding="utf-8")

    assert cli.main(["init", "coco", "--name", "dogs", "--out", "dogs.yaml"]) == 0

    recipe = recipes.load(Path("dogs.yaml"))
    assert recipe.detector is not None
    assert recipe.detector.classes == ("person",)
    assert recipe.data.captions[0].val == Path("coco/annotations/captions_val2017.json").resolve()
    assert is_taken("dogs.yaml")


def test_a_folder_name_with_signs_of_yaml_is_written_as_a_string() -> None:
    images(Path("a: {b} 'c'/images"), NAMES)
    Path("a: {b} 'c'/captions.json").write_text(coco(NAMES), encoding="utf-8")

    assert cli.main(["init", "a: {b} 'c'"]) == 0
    assert is_taken()


def nothing(folder: Path) -> None:
    folder.mkdir()


def no_images(folder: Path) -> None:
    folder.mkdir()
    (folder / "captions.csv").write_text("file,caption\n1.jpg,a\n2.jpg,b\n", encoding="utf-8")


def one_image(folder: Path) -> None:
    images(folder, ["1.jpg"])
    (folder / "captions.csv").write_text("file,caption\n1.jpg,a\n", encoding="utf-8")


def images_in_two_folders(folder: Path) -> None:
    for split in ("train", "val"):
        images(folder / split, [f"{split}.jpg"])
        (folder / f"captions_{split}.json").write_text(coco([f"{split}.jpg"]), encoding="utf-8")


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda folder: None, "no such folder"),
        (nothing, "no file of captions is found; expected COCO captions"),
        (no_images, "the image 1.jpg of the captions is in no folder here"),
        (one_image, "at least two are needed"),
        (images_in_two_folders, "in two folders; put both into one"),
    ],
    ids=["no folder", "nothing", "no images", "one image", "two folders"],
)
def test_what_is_missing_is_named_and_no_recipe_is_written(
    prepare: object, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(Path("data"))  # type: ignore[operator]

    assert cli.main(["init", "data"]) == 78
    assert said in capsys.readouterr().err
    assert not Path("recipe.yaml").exists()


def test_a_recipe_that_is_there_stays_unless_it_is_forced() -> None:
    images(Path("data"), NAMES)
    Path("data/captions.json").write_text(coco(NAMES), encoding="utf-8")
    Path("recipe.yaml").write_text("mine", encoding="utf-8")

    assert cli.main(["init", "data"]) == 78
    assert Path("recipe.yaml").read_text(encoding="utf-8") == "mine"
    assert cli.main(["init", "data", "--force"]) == 0
