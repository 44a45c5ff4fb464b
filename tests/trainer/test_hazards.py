"""Sentences written from labels: which template is chosen, how it is filled, and what the shipped ones say."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from trainer import hazards
from trainer.errors import DataError
from trainer.pictures import words_of

SHIPPED = Path(__file__).resolve().parents[2] / "config" / "hazard-sentences.yaml"

TEMPLATES = hazards.Templates(
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


def scene(label: str = "gun", source: str = "yard", boxes: Sequence[tuple[str, float]] = ()) -> dict[str, Any]:
    """Describe a scene of 100 x 100 pixels; each box is a name and the square root of its share of the picture."""
    drawn = [{"name": name, "bbox": [0, 0, 100 * side, 100 * side]} for name, side in boxes]
    return {"file": "images/a.jpg", "width": 100, "height": 100, "label": label, "source": source, "boxes": drawn}


def written(folder: Path, *scenes: dict[str, Any]) -> Path:
    path = folder / "scenes.json"
    path.write_text(json.dumps(scenes), encoding="utf-8")
    return path


def said(path: Path) -> list[list[str]]:
    """Give each picture's sentences."""
    pictures = hazards.captions(path, TEMPLATES, "scenes")
    return [[" ".join(words) for words in picture.sentences] for picture in pictures]


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


def test_a_scene_keeps_its_label_and_its_picture_beside_the_file(tmp_path: Path) -> None:
    (picture,) = hazards.captions(written(tmp_path, scene()), TEMPLATES, "scenes")

    assert picture.path == tmp_path / "images" / "a.jpg"
    assert (picture.label, picture.dataset) == ("gun", "scenes")


def test_a_label_without_a_template_is_refused_with_those_there_are(tmp_path: Path) -> None:
    path = written(tmp_path, scene("flood"))

    with pytest.raises(DataError, match=r"scenes\.json: label 'flood' of images/a\.jpg has no sentence among \['gun',"):
        hazards.captions(path, TEMPLATES, "scenes")


def test_each_source_answers_only_for_the_classes_it_drew(tmp_path: Path) -> None:
    drawn = scene("gun", "gun", [("gun", 0.5)]), scene("none", "weapon"), scene("fire", "cair"), scene("smoke", "fire")

    boxed = hazards.boxed(written(tmp_path, *drawn))

    assert [picture.labelled for picture in boxed] == [{"gun"}, {"weapon", "person"}, {"fire", "smoke"}]
    assert boxed[0].boxes == (("gun", 0, 0, 0.5, 0.5),)


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param(
            {"sentences": {"gun": ["{thing}"]}, "words": {}, "terms": {}},
            r"sentences\.gun: \{thing\}",
            id="placeholder",
        ),
        pytest.param({"sentences": {}, "words": {}}, "missing required field `terms`", id="no terms"),
        pytest.param(
            {"sentences": {"gun": "a gun"}, "words": {}, "terms": {}}, r"at `\$\.sentences\[\.\.\.\]`", id="no list"
        ),
        pytest.param({"sentences": {}, "words": {}, "terms": {}, "term": {}}, "unknown field `term`", id="unknown key"),
    ],
)
def test_templates_that_do_not_fit_are_refused_by_name(tmp_path: Path, document: Any, complaint: str) -> None:
    path = tmp_path / "sentences.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")

    with pytest.raises(DataError, match=rf"sentences\.yaml: .*{complaint}"):
        hazards.load_templates(path)


def shipped(folder: Path) -> list[tuple[str, str]]:
    """Give every shipped sentence, filled in, with the label it is said of."""
    templates = hazards.load_templates(SHIPPED)
    scenes = []
    for key in templates.sentences:
        label, _, rest = key.partition("/")
        boxes = [("person", 0.1)] if rest.endswith("/people") else [("gun", 0.9)] if rest == "close" else []
        scenes.append(scene(label, rest.partition("/")[0], boxes))
    pictures = hazards.captions(written(folder, *scenes), templates, "scenes")
    return [(picture.label, " ".join(words)) for picture in pictures for words in picture.sentences]


def names(sentence: str, expressions: Sequence[str]) -> bool:
    """Say whether a sentence holds one of the expressions, word by word."""
    return any(f" {' '.join(words_of(expression))} " in f" {sentence} " for expression in expressions)


def test_every_shipped_template_is_filled(tmp_path: Path) -> None:
    templates = hazards.load_templates(SHIPPED)
    patterns = {pattern for sentences in templates.sentences.values() for pattern in sentences}

    sentences = {sentence for _, sentence in shipped(tmp_path)}

    assert len(sentences) > len(patterns)
    assert sentences >= {pattern for pattern in patterns if "{" not in pattern}
    assert {sentence for sentence in sentences if not sentence.replace(" ", "").isalpha()} == set()


def test_every_shipped_sentence_of_a_danger_names_it(tmp_path: Path) -> None:
    terms = hazards.load_templates(SHIPPED).terms
    sentences = [(label, sentence) for label, sentence in shipped(tmp_path) if label != "none"]

    assert [sentence for label, sentence in sentences if not names(sentence, terms[label])] == []


def test_no_shipped_sentence_of_peace_names_a_danger(tmp_path: Path) -> None:
    terms = [expression for expressions in hazards.load_templates(SHIPPED).terms.values() for expression in expressions]
    sentences = [sentence for label, sentence in shipped(tmp_path) if label == "none"]

    assert [sentence for sentence in sentences if names(sentence, terms)] == []


def test_every_shipped_danger_has_sentences_and_a_term_that_they_spell(tmp_path: Path) -> None:
    terms = hazards.load_templates(SHIPPED).terms
    sentences = shipped(tmp_path)
    spelt = {term: {word for label, said in sentences if label == term for word in said.split()} for term in terms}

    assert {label for label, _ in sentences} - {"none"} == set(terms)
    for term, expressions in terms.items():
        assert any(set(words_of(expression)) <= spelt[term] for expression in expressions), term


def test_real_scenes_all_have_sentences(shared_data: Path) -> None:
    templates = hazards.load_templates(SHIPPED)
    pictures = hazards.captions(shared_data / "hazards" / "hazards_val.json", templates, "hazards")

    assert {picture.label for picture in pictures} >= {"gun", "fire", "none"}
    assert all(picture.path.is_file() for picture in pictures)
