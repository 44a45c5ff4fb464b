"""Captions and boxes in COCO's format."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.dataset import BoxDataset, BoxDatasetBuilder
from trainer.data.formats import coco
from trainer.data.formats.caption_record import CaptionRecord
from trainer.data.quality.issues import Findings, Kind
from trainer.errors import DataError

IMAGES = [
    {"id": 7, "file_name": "dog.jpg", "width": 200, "height": 100, "license": 3},
    {"id": 9, "file_name": "cat.jpg", "width": 100, "height": 50},
]
PERSON = [{"id": 1, "name": "person"}]


def written(folder: Path, document: Any) -> Path:
    path = folder / "coco.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def caption(image: Any, text: str) -> dict[str, Any]:
    return {"id": 1, "image_id": image, "caption": text}


def instance(image: int, category: int, bbox: list[float], **more: Any) -> dict[str, Any]:
    return {"id": 1, "image_id": image, "category_id": category, "bbox": bbox, **more}


def said(path: Path) -> tuple[list[CaptionRecord], Findings]:
    findings = Findings()
    return list(coco.captions(path, findings.of("pets"))), findings


def boxed(path: Path, **more: Any) -> tuple[BoxDataset, Findings]:
    findings, builder = Findings(), BoxDatasetBuilder()
    coco.instances(path, path.parent / "images", builder, findings.of("pets"), **more)
    return builder.build(), findings


def found(findings: Findings) -> dict[Kind, list[str]]:
    return {finding.kind: [example.partition(": ")[2] for example in finding.examples] for finding in findings}


def test_images_come_in_the_files_order_and_then_what_is_said_of_them(tmp_path: Path) -> None:
    notes = [caption(9, "A cat."), caption(7, "Two dogs!"), caption(7, "개가 달린다.")]
    path = written(tmp_path, {"info": {"year": 2017}, "annotations": notes, "images": IMAGES})

    lines, findings = said(path)

    assert lines == [
        ("dog.jpg", None),
        ("cat.jpg", None),
        ("cat.jpg", "A cat."),
        ("dog.jpg", "Two dogs!"),
        ("dog.jpg", "개가 달린다."),
    ]
    assert not found(findings)


def test_images_may_be_numbered_by_words(tmp_path: Path) -> None:
    path = written(tmp_path, {"images": [{"id": "a", "file_name": "a.jpg"}], "annotations": [caption("a", "A dog")]})

    assert said(path)[0][-1] == ("a.jpg", "A dog")


def test_captions_of_images_that_are_not_listed_are_named_and_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, {"images": IMAGES, "annotations": [caption(7, "A dog"), caption(8, "A bird")]})

    lines, findings = said(path)

    assert [line.text for line in lines] == [None, None, "A dog"]
    assert found(findings) == {Kind.UNLISTED: ["annotations[1] image_id 8"]}


def test_images_listed_twice_are_named(tmp_path: Path) -> None:
    twice = [*IMAGES, {"id": 7, "file_name": "dog2.jpg"}, {"id": 11, "file_name": "cat.jpg"}]
    path = written(tmp_path, {"images": twice, "annotations": []})

    assert found(said(path)[1]) == {Kind.REPEATED: ["images[2] dog2.jpg", "images[3] cat.jpg"]}


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param(
            {"images": IMAGES, "annotations": [caption(7, ""), {"image_id": 7}]},
            r"missing required field `caption` - at `\$\.annotations\[1\]`",
            id="no text",
        ),
        pytest.param(
            {"images": IMAGES, "annotations": [{**caption(7, ""), "caption": 5}]},
            r"Expected `str`, got `int` - at `\$\.annotations\[0\]\.caption`",
            id="a number",
        ),
        pytest.param({"images": [3]}, r"Expected `object`, got `int` - at `\$\.images\[0\]`", id="no object"),
        pytest.param({"images": IMAGES}, "expected an object with a list `annotations`", id="no annotations"),
        pytest.param({"annotations": []}, "expected an object with a list `images`", id="no images"),
        pytest.param([], "expected an object with a list `images`", id="a list"),
        pytest.param("", "not whole JSON in UTF-8", id="empty"),
        pytest.param('{"images": [{"id": 7, "file_', "not whole JSON in UTF-8", id="cut off"),
        pytest.param('{"images": [], "annotations": []} more', "not whole JSON in UTF-8", id="more after the end"),
    ],
)
def test_a_file_that_is_no_caption_file_is_refused_by_name(tmp_path: Path, document: Any, complaint: str) -> None:
    with pytest.raises(DataError, match=rf"coco\.json: .*{complaint}"):
        said(written(tmp_path, document))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json: No such file"):
        said(tmp_path / "none.json")


@given(junk=st.binary(max_size=40), at=st.integers(0, 200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, junk: bytes, at: int) -> None:
    path = tmp_path_factory.mktemp("junk") / "coco.json"
    whole = json.dumps({"images": IMAGES, "annotations": [caption(7, "개")]}).encode()
    path.write_bytes(whole[:at] + junk + whole[at + len(junk) :])

    with contextlib.suppress(DataError):
        assert all(isinstance(line.file, str) for line in said(path)[0])


def test_boxes_become_shares_of_their_image(tmp_path: Path) -> None:
    notes = [
        instance(7, 2, [50, 25, 100, 50]),
        instance(9, 1, [1, 2, 3, 4], iscrowd=1),
        instance(7, 1, [0, 0, 200, 100]),
    ]
    path = written(
        tmp_path, {"images": IMAGES, "annotations": notes, "categories": [*PERSON, {"id": 2, "name": "dog"}]}
    )

    first, second = boxed(path, absent=["gun"])[0]

    assert first.boxes == (("dog", 0.25, 0.25, 0.5, 0.5), ("person", 0.0, 0.0, 1.0, 1.0))
    assert first.labelled == {"person", "dog", "gun"}
    assert not second.boxes
    assert second.path == tmp_path / "images" / "cat.jpg"


@pytest.mark.parametrize(
    ("bbox", "sides", "kind"),
    [
        pytest.param([-0.5, 0, 100.9, 50], (-0.005, 0, 1.009, 1), None, id="rounded beyond the edge"),
        pytest.param([-10, 25, 60, 50], (0, 0.5, 0.5, 0.5), Kind.OUTSIDE, id="over two edges"),
        pytest.param([150, 0, 20, 20], None, Kind.OUTSIDE, id="wholly outside"),
        pytest.param([10, 10, 0, 20], None, Kind.EMPTY_BOX, id="no width"),
        pytest.param([10, 10, 5, -20], None, Kind.EMPTY_BOX, id="negative height"),
    ],
)
def test_boxes_that_do_not_fit_are_clipped_or_left_out_and_named(
    tmp_path: Path, bbox: list[float], sides: tuple[float, ...] | None, kind: Kind | None
) -> None:
    document = {"images": IMAGES[1:], "annotations": [instance(9, 1, bbox)], "categories": PERSON}

    (example,), findings = boxed(written(tmp_path, document))

    assert [box[1:] for box in example.boxes] == ([pytest.approx(sides)] if sides else [])
    assert list(found(findings)) == ([kind] if kind else [])


def test_boxes_of_images_that_are_not_listed_are_named(tmp_path: Path) -> None:
    document = {"images": IMAGES, "annotations": [instance(8, 1, [0, 0, 1, 1])], "categories": PERSON}

    assert found(boxed(written(tmp_path, document))[1]) == {Kind.UNLISTED: ["annotations[0] image_id 8"]}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param(
            {"annotations": [instance(7, 3, [0, 0, 1, 1])]},
            r"annotations\[0\]: category_id 3 is not among `categories`: 1 person",
            id="unknown category",
        ),
        pytest.param({"images": [{"id": 7, "file_name": "dog.jpg"}]}, r"images: dog\.jpg has no width", id="no size"),
        pytest.param(
            {"annotations": [instance(7, 1, [0, 0, 1])]}, r"length 4.*at `\$\.annotations\[0\]\.bbox`", id="three sides"
        ),
    ],
)
def test_boxes_that_cannot_be_measured_or_named_are_refused(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    document = {"images": IMAGES, "annotations": [], "categories": PERSON, **change}

    with pytest.raises(DataError, match=rf"coco\.json: .*{complaint}"):
        boxed(written(tmp_path, document))


@pytest.mark.parametrize("crowd", [1, True])
def test_a_crowd_is_left_out_however_it_is_spelt(tmp_path: Path, crowd: int | bool) -> None:
    notes = [instance(7, 1, [0, 0, 20, 20], iscrowd=crowd), instance(7, 1, [0, 0, 50, 50], iscrowd=False)]
    path = written(tmp_path, {"images": IMAGES, "annotations": notes, "categories": PERSON})

    assert [len(example.boxes) for example in boxed(path)[0]] == [1, 0]


def test_a_byte_order_mark_is_no_part_of_the_json(tmp_path: Path) -> None:
    document = {"images": IMAGES, "annotations": [instance(7, 1, [0, 0, 20, 20])], "categories": PERSON}
    path = written(tmp_path, "\ufeff" + json.dumps(document))

    assert len(boxed(path)[0][0].boxes) == 1


def test_boxes_given_as_shares_are_refused_with_what_is_right(tmp_path: Path) -> None:
    notes = [instance(7, 1, [0.25, 0.5, 0.5, 0.25]), instance(9, 1, [0, 0, 1, 1])]
    path = written(tmp_path, {"images": IMAGES, "annotations": notes, "categories": PERSON})

    _, findings = boxed(path)

    (refused,) = findings.refused()
    assert (refused.kind, refused.count) == (Kind.NORMALIZED_BOX, 2)
    assert "`bbox` is in pixels" in refused.kind.value


def test_one_tiny_box_among_many_is_left_out_and_does_not_refuse_the_file(tmp_path: Path) -> None:
    notes = [instance(7, 1, [0, 0, 0.5, 0.5]), instance(7, 1, [5, 5, 50, 50]), instance(9, 1, [5, 5, 50, 40])]
    path = written(tmp_path, {"images": IMAGES, "annotations": notes, "categories": PERSON})

    examples, findings = boxed(path)

    assert [len(example.boxes) for example in examples] == [1, 1]
    assert [(finding.kind, finding.done) for finding in findings] == [(Kind.NORMALIZED_BOX, "left out")]
