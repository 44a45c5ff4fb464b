"""The converter's settings."""

from pathlib import Path

import pytest

from converter import config
from foundation.errors import Misconfigured
from tests.conftest import REPOSITORY


def test_the_shipped_file_says_what_holds_without_it() -> None:
    assert config.load(REPOSITORY / "config" / "converter.yaml") == config.Settings()


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("", encoding="utf-8")

    assert config.load(path) == config.Settings()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("limit: {}", "limit: unknown key; did you mean `limits`?", id="first level"),
        pytest.param(
            "limits: {bleu4_drop: 1}", "limits.bleu4_drop: unknown key; did you mean `bleu_4_drop`?", id="second"
        ),
        pytest.param("limits: {colour: 1}", "limits.colour: unknown key; known here: ap50_drop,", id="nothing near"),
        pytest.param("limits: {cosine: 1.5}", "limits.cosine: Expected `float` <= 1", id="out of range"),
        pytest.param("calibration: {pictures: 0}", "calibration.pictures: Expected `int` >= 1", id="no pictures"),
        pytest.param("calibration: many", "calibration: Expected `object`, got `str`", id="wrong type"),
        pytest.param("- limits", "expected keys with values, got a list", id="a list"),
        pytest.param("limits: {cosine: 0.9}\nlimits: {}", ":2: the key `limits` stands twice", id="twice"),
        pytest.param("limits: [", "not YAML: ", id="not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_key(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "converter.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(Misconfigured) as caught:
        config.load(path)

    assert str(caught.value).startswith(f"{path}:")
    assert complaint in str(caught.value)


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="No such file"):
        config.load(tmp_path / "gone.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"# \xe9")
    with pytest.raises(Misconfigured, match="byte 2 is not UTF-8"):
        config.load(tmp_path / "latin.yaml")
