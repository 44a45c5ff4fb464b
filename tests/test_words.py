"""The words of the house: names and prose use the standard terms of the field."""

import ast
from pathlib import Path

import pytest

from bench import house
from tests.house import ROOT, SERVICES, STARTERS

LEFT = {"edge": 10, "broker": 12, "trainer": 1}
"""Words of the former dialect that are still there: these numbers only fall, and are 0 for all other packages."""


@pytest.mark.parametrize("package", [*SERVICES, *STARTERS])
def test_names_and_prose_use_standard_terms(package: str) -> None:
    found = [f"{module.name}:{word}" for module in house.modules(ROOT, package) for word in house.dialect(module)]

    assert len(found) <= LEFT.get(package, 0), found


def module(tmp_path: Path, text: str) -> house.Module:
    path = tmp_path / "module.py"
    path.write_text(text, encoding="utf-8")
    return house.Module("module", path, ast.parse(text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("class RollCall: ...", ["1: RollCall"], id="class"),
        pytest.param("on_duty = 1", ["1: on_duty"], id="variable"),
        pytest.param("# whoever asks", ["1: whoever"], id="comment"),
        pytest.param('def f():\n    """Give the number."""', ["2: Give"], id="docstring"),
        pytest.param("held_out = whole = 1", [], id="standard term"),
        pytest.param('text = "a guard is told"', [], id="a text of the program"),
        pytest.param("import twins", [], id="a name of another"),
    ],
)
def test_the_former_dialect_is_found_in_names_comments_and_docstrings(
    tmp_path: Path, text: str, found: list[str]
) -> None:
    assert house.dialect(module(tmp_path, text)) == found


def test_import_depth_counts_a_circle_as_one_floor() -> None:
    floors, circles = house.depth({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()})

    assert (floors, circles) == (3, [["b", "c"]])
