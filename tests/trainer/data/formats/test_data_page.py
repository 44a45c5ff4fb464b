"""Every example on docs/trainer-data.md is read as the page says."""

import re
from pathlib import Path

import msgspec
import pytest
import yaml

from trainer.data import caption_templates, hazard_scenes
from trainer.data.dataset import BoxDatasetBuilder, CaptionDatasetBuilder
from trainer.data.formats import captions, coco
from trainer.data.quality.issues import Findings
from trainer.recipe.data import Captions, Data, Hazards
from trainer.tokenizers.english import split

PAGE = Path(__file__).resolve().parents[4] / "docs" / "trainer-data.md"


def examples() -> list[tuple[str, str]]:
    """Return the heading and the text of every block."""
    parts = re.split(r"^#+ (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [
        (heading, block)
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
        for block in re.findall(r"```(?:json|csv|text|yaml)\n(.*?)```", text, flags=re.DOTALL)
    ]


def blocks(heading: str) -> list[str]:
    return [block for under, block in examples() if under == heading]


@pytest.mark.parametrize(
    ("heading", "number"),
    [
        ("COCO", 0),
        ("Flickr8k and Flickr30k", 0),
        ("Flickr8k and Flickr30k", 1),
        ("Your own folder", 0),
        ("Your own folder", 1),
    ],
)
def test_captions_are_read_without_a_fault(tmp_path: Path, heading: str, number: int) -> None:
    path, other, findings = tmp_path / "train", tmp_path / "val", Findings()
    path.write_text(blocks(heading)[number], encoding="utf-8")
    source = Captions(name="page", images=tmp_path, train=path, val=other)

    said = [line for line in captions.read(source, "train", findings.of("page")) if line.text]

    assert said
    assert not findings


def test_boxes_are_read_without_a_fault(tmp_path: Path) -> None:
    path, findings, builder = tmp_path / "boxes.json", Findings(), BoxDatasetBuilder()
    path.write_text(blocks("Boxes")[0], encoding="utf-8")

    coco.instances(path, tmp_path, builder, findings.of("page"))

    assert [example.boxes[0][0] for example in builder.build()] == ["person"]
    assert not findings


def test_scenes_are_read_by_the_templates_and_the_sources_beside_them(tmp_path: Path) -> None:
    scenes, sentences, findings = tmp_path / "scenes.json", tmp_path / "sentences.yaml", Findings()
    scene, recipe = blocks("Hazard scenes")
    scenes.write_text(scene, encoding="utf-8")
    sentences.write_text(blocks("Their sentences")[0], encoding="utf-8")
    (named,) = yaml.safe_load(recipe)["hazards"]
    drawn = msgspec.convert(named, Hazards, dec_hook=lambda _, value: Path(value)).labelled_classes
    spoken, boxed = CaptionDatasetBuilder(split), BoxDatasetBuilder()

    hazard_scenes.captions(scenes, caption_templates.load(sentences), "page", spoken, findings.of("page"))
    hazard_scenes.boxed(scenes, drawn, boxed, findings.of("page"))

    assert [example.label for example in spoken.build()] == ["gun", "none"]
    assert [example.labelled for example in boxed.build()] == [{"gun"}]
    assert not findings


def test_the_recipe_at_its_head_is_one() -> None:
    document = yaml.safe_load(blocks("Data to train on")[0])["data"]

    data = msgspec.convert(document, Data, dec_hook=lambda _, value: Path(value))

    assert [source.name for source in data.captions] == ["coco", "flickr8k", "mine"]
