"""Sentences written from labels: which template is chosen, how it is filled, and what the shipped ones say."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from trainer.data import hazard_scenes
from trainer.data.caption_templates import Templates
from trainer.data.dataset import BoxDataset, BoxDatasetBuilder, CaptionDataset, CaptionDatasetBuilder
from trainer.data.quality.issues import Finding, Findings, Kind
from trainer.errors import DataError
from trainer.recipe.data import Hazards
from trainer.tokenizers.english import split as words_of

TEMPLATES = Templates(
    sentences={
        "gun": ["{person} with a gun"],
        "gun/close": ["a close gun"],
        "gun/lobby": ["a gun in a lobby"],
        "gun/lobby/people": ["{person} meets {person} with a gun"],
        "none": ["nothing"],
    },
    words={"person": ["a man", "someone"]},
    terms={"gun": ["gun"]},
)

DRAWN = Hazards(name="", train=Path(), val=Path(), sentences=Path()).labelled_classes
"""What a recipe takes its sources to have drawn where it does not say."""


def scene(label: str = "gun", source: str = "yard", boxes: Sequence[tuple[str, float]] = ()) -> dict[str, Any]:
    """Describe a scene of 100 x 100 pixels; each box is a name and the square root of its share of the image."""
    drawn = [{"name": name, "bbox": [0, 0, 100 * side, 100 * side]} for name, side in boxes]
    return {"file": "images/a.jpg", "width": 100, "height": 100, "label": label, "source": source, "boxes": drawn}


def written(folder: Path, *scenes: dict[str, Any]) -> Path:
    path = folder / "scenes.json"
    path.write_text(json.dumps(scenes), encoding="utf-8")
    return path


def read(path: Path, written: Templates = TEMPLATES) -> tuple[CaptionDataset, list[Finding]]:
    findings, builder = Findings(), CaptionDatasetBuilder(words_of)
    hazard_scenes.captions(path, written, "scenes", builder, findings.of("scenes"))
    return builder.build(), list(findings)


def drawn(path: Path, sources: Mapping[str, Sequence[str]] = DRAWN) -> tuple[BoxDataset, list[Finding]]:
    findings, builder = Findings(), BoxDatasetBuilder()
    hazard_scenes.boxed(path, sources, builder, findings.of("scenes"))
    return builder.build(), list(findings)


def said(path: Path) -> list[list[str]]:
    """Return each image's sentences."""
    return [[" ".join(words) for words in example.sentences] for example in read(path)[0]]


@pytest.mark.parametrize(
    ("found", "sentences"),
    [
        pytest.param(scene(), ["a man with a gun", "someone with a gun"], id="label alone"),
        pytest.param(scene(source="lobby"), ["a gun in a lobby"], id="its source"),
        pytest.param(scene(source="lobby", boxes=[("gun", 0.4)]), ["a close gun"], id="close goes before source"),
        pytest.param(scene(source="lobby", boxes=[("gun", 0.38)]), ["a gun in a lobby"], id="not close enough"),
        pytest.param(scene("none", "lobby", boxes=[("person", 0.9)]), ["nothing"], id="peace"),
        pytest.param(scene(boxes=[("person", 0.9)]), ["a man with a gun", "someone with a gun"], id="a large person"),
        pytest.param(
            scene(source="lobby", boxes=[("gun", 0.9), ("person", 0.1)]),
            [f"{one} meets {other} with a gun" for one in ("a man", "someone") for other in ("a man", "someone")],
            id="people go before close",
        ),
    ],
)
def test_the_most_particular_key_speaks(tmp_path: Path, found: dict[str, Any], sentences: list[str]) -> None:
    assert said(written(tmp_path, found)) == [sentences]


def test_a_scene_keeps_its_label_and_its_image_beside_the_file(tmp_path: Path) -> None:
    (example,), _ = read(written(tmp_path, scene()))

    assert example.path == tmp_path / "images" / "a.jpg"
    assert (example.label, example.dataset) == ("gun", "scenes")


def test_labels_without_a_template_are_refused_with_those_there_are(tmp_path: Path) -> None:
    path = written(tmp_path, scene("flood"), scene("gunn"), scene(), scene("flood"))
    complaint = (
        r"scenes\.json: label: 'flood' of 2 scenes, the first is images/a\.jpg · 'gunn' of 1 scenes, .*; "
        r"did you mean 'gun'\?; labels with sentences are gun, none"
    )

    with pytest.raises(DataError, match=complaint):
        read(path)


def test_each_source_answers_only_for_the_classes_it_drew(tmp_path: Path) -> None:
    scenes = scene("gun", "gun", [("gun", 0.5)]), scene("none", "weapon"), scene("fire", "cair"), scene("smoke", "fire")

    boxed, _ = drawn(written(tmp_path, *scenes))

    assert [example.labelled for example in boxed] == [{"gun"}, {"weapon", "person"}, {"fire", "smoke"}]
    assert boxed[0].boxes == (("gun", 0, 0, 0.5, 0.5),)


def test_boxes_of_classes_that_a_source_did_not_draw_are_named_and_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, scene("gun", "gun", [("gun", 0.5), ("dog", 0.1)]), scene("gun", "yard", [("gun", 0.5)]))

    boxes, findings = drawn(path)

    assert [[box[0] for box in example.boxes] for example in boxes] == [["gun"]]
    assert [(finding.kind, finding.count) for finding in findings] == [(Kind.UNLABELLED_CLASS, 2)]
    assert findings[0].examples[1].endswith("scenes.json: [1] images/a.jpg: gun, source 'yard'")


def test_a_recipe_says_which_classes_its_own_sources_drew(tmp_path: Path) -> None:
    (example,), findings = drawn(written(tmp_path, scene("gun", "yard", [("gun", 0.5)])), {"yard": ("gun", "person")})

    assert example.labelled == {"gun", "person"}
    assert not findings


def test_scenes_with_a_label_and_nothing_else_will_do(tmp_path: Path) -> None:
    dataset, _ = read(written(tmp_path, {"file": "a.jpg", "label": "none"}))

    assert [example.sentences for example in dataset] == [(("nothing",),)]


def test_boxes_beyond_their_image_are_clipped_and_named(tmp_path: Path) -> None:
    far = {**scene("gun", "gun"), "boxes": [{"name": "gun", "bbox": [50, 50, 100, 25]}]}

    (example,), findings = drawn(written(tmp_path, far))

    assert example.boxes == (("gun", 0.5, 0.5, 0.5, 0.25),)
    assert [finding.kind for finding in findings] == [Kind.OUTSIDE]


def test_sentences_that_do_not_name_their_danger_are_noted_once(tmp_path: Path) -> None:
    path = written(tmp_path, scene("gun", "lobby"), scene("gun", "lobby"))

    _, findings = read(path, msgspec.structs.replace(TEMPLATES, terms={"gun": ["rifle"]}))

    assert [(finding.kind, finding.examples) for finding in findings] == [
        (Kind.TERM_MISSING, ["sentences.gun/lobby: a gun in a lobby"])
    ]


@pytest.mark.parametrize(
    ("found", "complaint"),
    [
        pytest.param({"label": "gun"}, r"missing required field `file` - at `\$\[0\]`", id="no file"),
        pytest.param({"file": "a.jpg"}, r"missing required field `label` - at `\$\[0\]`", id="no label"),
        pytest.param(
            {"file": "a.jpg", "label": 3},
            r"Expected `str`, got `int` - at `\$\[0\]\.label`",
            id="a label of another type",
        ),
        pytest.param(
            {"file": "a.jpg", "label": "gun", "boxes": [{"name": "gun", "bbox": [1, 2]}]},
            r"length 4.* - at `\$\[0\]\.boxes\[0\]\.bbox`",
            id="half a box",
        ),
        pytest.param(
            {"file": "a.jpg", "label": "gun", "boxes": [{"name": "gun", "bbox": [1, 2, 3, 4]}]},
            r"\[0\] a\.jpg: has no width and height",
            id="boxes without a size",
        ),
    ],
)
def test_scenes_that_do_not_fit_are_refused_by_name(tmp_path: Path, found: dict[str, Any], complaint: str) -> None:
    with pytest.raises(DataError, match=rf"scenes\.json: .*{complaint}"):
        read(written(tmp_path, found))


def test_a_file_that_is_no_list_of_scenes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scenes.json"
    path.write_text(json.dumps({"images": [], "annotations": []}))

    with pytest.raises(DataError, match=r"scenes\.json: expected a list"):
        read(path)
