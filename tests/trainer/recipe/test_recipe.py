"""The recipe: what it takes, what it refuses, and where its paths begin."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from foundation.errors import Misconfigured
from trainer.recipe import recipe

CONFIG = Path(__file__).resolve().parents[3] / "config"


def smoke(**changes: Any) -> dict[str, Any]:
    """Return the smoke recipe's document with some of its parts replaced."""
    document: dict[str, Any] = yaml.safe_load((CONFIG / "trainer-smoke.yaml").read_text(encoding="utf-8"))
    return {**document, **changes}


def written(folder: Path, document: Any) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(CONFIG.glob("trainer*.yaml")), ids=lambda path: path.name)
def test_every_recipe_that_ships_loads(path: Path) -> None:
    loaded = recipe.load(path)

    assert loaded.data.captions
    assert loaded.data.licences


def test_paths_begin_at_the_recipes_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").mkdir()
    path = written(tmp_path / "config", smoke(encoder={"weights": "../weights/mine.pth"}, detector=None))
    monkeypatch.chdir("/")

    loaded = recipe.load(path)

    assert loaded.data.captions[0].train == tmp_path / "runs" / "sample" / "captions_train.json"
    assert loaded.encoder.weights == str(tmp_path / "weights" / "mine.pth")


@pytest.mark.parametrize("weights", ["imagenet", ""])
def test_weights_that_are_no_file_stay_words(tmp_path: Path, weights: str) -> None:
    loaded = recipe.load(written(tmp_path, smoke(encoder={"height": 96, "width": 96, "weights": weights})))

    assert loaded.encoder.weights == weights


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        pytest.param({"trainning": {}}, r"trainning: unknown key; did you mean `training`\?", id="unknown section"),
        pytest.param(
            {"training": {"epoch": 3}}, r"training\.epoch: unknown key; did you mean `epochs`\?", id="unknown"
        ),
        pytest.param({"training": {"epochs": "ten"}}, r"training\.epochs: Expected `int`, got `str`", id="type"),
        pytest.param({"training": {"epochs": 0}}, r"training\.epochs: Expected `int` >= 1", id="out of range"),
        pytest.param(
            {"training": {"optimizer": "adamm"}},
            r"training\.optimizer: .*'adamm'; use one of adam, ",
            id="unknown choice",
        ),
        pytest.param(
            {"version": "1.0"},
            r"version: Expected `str`: three numbers",
            id="a version that no bundle takes",
        ),
        pytest.param({"name": "Mine"}, r"name: Expected `str`: 1 to 63 of", id="a name that no bundle takes"),
        pytest.param({"decoding": {"beam_width": 99}}, r"decoding\.beam_width: ", id="beam too wide"),
        pytest.param({"data": {"captions": []}}, r"data: required key `licences` is missing", id="no licences"),
        pytest.param(
            {"data": {"captions": [{"name": "x", "images": 3, "train": "t", "val": "v"}], "licences": []}},
            r"data\.captions\[0\]\.images: expected a path, got 3",
            id="a path that is a number",
        ),
        pytest.param(
            {"vocabulary": {"analyser": "okt"}}, "vocabulary.analyser is for Korean alone", id="an analyser of Korean"
        ),
        pytest.param({"encoder": {"height": 260, "width": 260}}, "must be multiples of 32", id="detector off the grid"),
        pytest.param(
            {"encoder": {"name": "inception-v3", "height": 320, "width": 320}},
            "inception-v3 do not halve evenly",
            id="detector on an encoder whose maps do not fit",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_field(
    tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    path = written(tmp_path, smoke(**changes))

    with pytest.raises(Misconfigured, match=rf"recipe\.yaml(:\d+)?: .*{complaint}"):
        recipe.load(path)


def test_a_number_may_be_written_in_scientific_notation(tmp_path: Path) -> None:
    path = written(tmp_path, smoke(self_critical=None))
    path.write_text(path.read_text().replace("self_critical: null", "self_critical: {learning_rate: 5e-1}"))

    assert recipe.load(path).self_critical.learning_rate == 0.5


def test_without_a_detector_any_input_size_will_do(tmp_path: Path) -> None:
    encoder = {"name": "inception-v3", "height": 299, "width": 299}

    loaded = recipe.load(written(tmp_path, smoke(encoder=encoder, detector=None)))

    assert loaded.encoder.height == 299


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"none\.yaml: No such file"):
        recipe.load(tmp_path / "none.yaml")


@pytest.mark.parametrize("text", [b"name: a\nname: b\n", b"{", b"\xff", b"a: [1", b"", b"- a"], ids=repr)
def test_what_is_no_recipe_at_all_is_named(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_bytes(text)

    with pytest.raises(Misconfigured, match=r"recipe\.yaml(:\d+)?: "):
        recipe.load(path)
