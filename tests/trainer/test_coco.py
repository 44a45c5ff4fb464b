"""Captions and boxes in COCO's format."""

import json
from pathlib import Path
from typing import Any

import pytest

from trainer import coco
from trainer.errors import DataError

IMAGES = [
    {"id": 7, "file_name": "dog.jpg", "width": 200, "height": 100, "license": 3},
    {"id": 9, "file_name": "cat.jpg", "width": 100, "height": 50},
]


def written(folder: Path, document: Any) -> Path:
    path = folder / "coco.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def caption(image: int, text: str) -> dict[str, Any]:
    return {"id": 1, "image_id": image, "caption": text}


def instance(image: int, category: int, bbox: list[float], **more: Any) -> dict[str, Any]:
    return {"id": 1, "image_id": image, "category_id": category, "bbox": bbox, **more}


def test_pictures_keep_the_files_order_and_all_their_sentences(tmp_path: Path) -> None:
    notes = [caption(9, "A cat."), caption(7, "Two dogs, running!"), caption(7, "The dog's ball")]
    path = written(tmp_path, {"images": IMAGES, "annotations": notes, "info": {"year": 2017}})

    pictures = coco.captions(path, tmp_path / "images", "pets")

    assert [picture.path for picture in pictures] == [tmp_path / "images" / name for name in ("dog.jpg", "cat.jpg")]
    assert pictures[0].sentences == (("two", "dogs", "running"), ("the", "dog", "'s", "ball"))
    assert pictures[1].sentences == (("a", "cat"),)
    assert {picture.dataset for picture in pictures} == {"pets"}
    assert not any(picture.label for picture in pictures)


def test_captions_in_korean_are_read_as_they_are(tmp_path: Path) -> None:
    path = written(tmp_path, {"images": IMAGES[:1], "annotations": [caption(7, "개가 달린다.")]})

    assert coco.captions(path, tmp_path, "pets")[0].sentences == (("개가", "달린다"),)


@pytest.mark.parametrize(
    ("notes", "complaint"),
    [
        pytest.param([caption(8, "A bird.")], "image_id 8 is not among `images`", id="of a picture unknown"),
        pytest.param([caption(9, "A cat.")], "1 pictures have no caption, the first is dog.jpg", id="none"),
        pytest.param([caption(9, "A cat."), caption(7, " ... ")], "no caption, the first is dog.jpg", id="no word"),
        pytest.param([{"image_id": 7}], r"missing required field `caption` - at `\$\.annotations\[0\]`", id="no text"),
        pytest.param(
            [{**caption(7, ""), "caption": 5}],
            r"Expected `str`, got `int` - at `\$\.annotations\[0\]\.caption`",
            id="a number",
        ),
    ],
)
def test_captions_that_do_not_fit_are_refused_by_name(tmp_path: Path, notes: list[Any], complaint: str) -> None:
    path = written(tmp_path, {"images": IMAGES, "annotations": notes})

    with pytest.raises(DataError, match=rf"coco\.json: .*{complaint}"):
        coco.captions(path, tmp_path, "pets")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"images": []}'])
def test_a_file_that_is_no_caption_file_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"coco\.json: "):
        coco.captions(written(tmp_path, text), tmp_path, "pets")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json: No such file"):
        coco.captions(tmp_path / "none.json", tmp_path, "pets")


def test_boxes_become_shares_of_their_picture(tmp_path: Path) -> None:
    notes = [
        instance(7, 2, [50, 25, 100, 50]),
        instance(7, 1, [0, 0, 200, 100]),
        instance(9, 1, [1, 2, 3, 4], iscrowd=1),
    ]
    categories = [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}]
    path = written(tmp_path, {"images": IMAGES, "annotations": notes, "categories": categories})

    first, second = coco.instances(path, tmp_path / "images")

    assert list(first.boxes) == [("dog", 0.25, 0.25, 0.5, 0.5), ("person", 0.0, 0.0, 1.0, 1.0)]
    assert first.labelled == {"person", "dog"}
    assert not second.boxes
    assert second.path == tmp_path / "images" / "cat.jpg"


@pytest.mark.parametrize(
    "note", [instance(8, 1, [0, 0, 1, 1]), instance(7, 3, [0, 0, 1, 1])], ids=["image", "category"]
)
def test_a_box_of_something_unknown_is_refused(tmp_path: Path, note: dict[str, Any]) -> None:
    document = {"images": IMAGES, "annotations": [note], "categories": [{"id": 1, "name": "person"}]}

    with pytest.raises(
        DataError, match=r"coco\.json: annotations: image or category of Instance\(.*is not in the file"
    ):
        coco.instances(written(tmp_path, document), tmp_path)


def test_boxes_in_a_picture_without_a_size_are_refused(tmp_path: Path) -> None:
    document = {
        "images": [{"id": 7, "file_name": "dog.jpg"}],
        "annotations": [instance(7, 1, [0, 0, 1, 1])],
        "categories": [{"id": 1, "name": "person"}],
    }

    with pytest.raises(DataError, match=r"coco\.json: images: dog\.jpg has no width and height"):
        coco.instances(written(tmp_path, document), tmp_path)
