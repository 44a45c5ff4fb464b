"""Templates of sentences: how they are filled, and what is said of those that cannot be."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from foundation.errors import Misconfigured
from trainer.data import caption_templates
from trainer.data.caption_templates import Templates

WHOLE: dict[str, Any] = {
    "sentences": {"gun": ["{person} with a gun"], "none/yard": ["{person} in a yard"]},
    "words": {"person": ["a man", "someone"]},
    "terms": {"gun": ["gun"]},
}


def written(folder: Path, document: Any) -> Path:
    path = folder / "sentences.yaml"
    text = document if isinstance(document, str) else yaml.safe_dump(document, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_placeholder_becomes_each_of_its_words(tmp_path: Path) -> None:
    loaded = caption_templates.load(written(tmp_path, WHOLE))

    assert loaded.wordings("gun") == ["a man with a gun", "someone with a gun"]
    assert loaded.labels() == ["gun", "none"]


def test_placeholders_multiply() -> None:
    made = Templates(sentences={"gun": ["{person} meets {person}"]}, words=WHOLE["words"], terms={})

    assert made.wordings("gun") == [
        f"{one} meets {other}" for one in ("a man", "someone") for other in ("a man", "someone")
    ]


def test_a_section_may_be_empty(tmp_path: Path) -> None:
    loaded = caption_templates.load(written(tmp_path, "sentences: {gun: [a gun]}\nwords:\nterms: {}\n"))

    assert (loaded.words, loaded.terms) == ({}, {})


def test_a_calm_scene_may_go_without_a_sentence(tmp_path: Path) -> None:
    loaded = caption_templates.load(written(tmp_path, WHOLE | {"sentences": {"gun": ["a gun"], "none/yard": []}}))

    assert loaded.wordings("none/yard") == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param(
            {"sentences": {"gun": ["{thing}"]}}, r"sentences\.gun: \{thing\} is not among `words`: person", id="unknown"
        ),
        pytest.param(
            {"sentences": {"gun": "a gun"}},
            r"sentences\.gun: Expected `array`, got `str`",
            id="text",
        ),
        pytest.param(
            {"sentences": {"gun": [3]}},
            r"sentences\.gun\[0\]: Expected .*; put the value in quotes",
            id="a number",
        ),
        pytest.param({"sentences": {"gun": []}}, r"sentences\.gun: expected at least one text", id="no sentence"),
        pytest.param({"sentences": {"gun": [" "]}}, r"sentences\.gun: expected at least one text", id="blank"),
        pytest.param({"sentences": ["a gun"]}, r"sentences: Expected `object \| null`, got `array`", id="a list"),
        pytest.param(
            {"sentences": {"gun/a/b": ["a gun"]}}, r"sentences\.gun/a/b: expected label, label/close", id="key"
        ),
        pytest.param(
            {"sentences": {"gun": ["{person with a gun"]}}, r"'\{person with a gun': a brace without", id="open brace"
        ),
        pytest.param(
            {"words": {"person": ["{person}"]}}, r"words\.person: '\{person\}': words cannot hold", id="circle"
        ),
        pytest.param({"words": {"person": []}}, r"words\.person: expected at least one text", id="no word"),
        pytest.param(
            {"sentences": {"gun": ["{person}" * 9]}}, r"sentences\.gun: .* can be filled in 512 ways, 500", id="many"
        ),
        pytest.param({"term": {}}, "term: unknown key; did you mean `terms`", id="unknown section"),
    ],
)
def test_templates_that_cannot_be_used_are_refused_by_name(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(Misconfigured, match=rf"sentences\.yaml:\d+: .*{complaint}"):
        caption_templates.load(written(tmp_path, {**WHOLE, **change}))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "required key `sentences` is missing", id="empty"),
        pytest.param("- a gun", "expected keys with values, got a list", id="a list"),
        pytest.param("sentences: {}\nwords: {}", "required key `terms` is missing", id="no terms"),
        pytest.param("sentences: {gun: [a], gun: [b]}", "the key `gun` stands twice", id="twice"),
        pytest.param("sentences: {", "not YAML: ", id="no YAML"),
    ],
)
def test_a_file_that_holds_no_templates_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(Misconfigured, match=rf"sentences\.yaml(:\d+)?: {complaint}"):
        caption_templates.load(written(tmp_path, text))


def test_templates_in_another_encoding_are_named(tmp_path: Path) -> None:
    path = tmp_path / "sentences.yaml"
    path.write_bytes("sentences: {gun: [총]}".encode("cp949"))

    with pytest.raises(Misconfigured, match=r"sentences\.yaml:1: byte 18 is not UTF-8"):
        caption_templates.load(path)


def test_templates_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"none\.yaml: No such file"):
        caption_templates.load(tmp_path / "none.yaml")
