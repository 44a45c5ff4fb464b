"""The strict YAML reader: what it accepts, what it refuses, and how it says so."""

import logging
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from foundation import yaml_file
from foundation.errors import MISCONFIGURED, Misconfigured
from foundation.yaml_file import FileProblem


class Lamp(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="lamp"):
    """A tagged alternative."""

    watts: Annotated[int, Meta(ge=1)] = 5


class Siren(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="siren"):
    """Another."""

    volume: Literal["low", "high"] = "low"


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """A part that has been renamed in the course of time."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"title": "name"}

    name: str
    codes: dict[str, Annotated[float, Meta(ge=0, le=1)]] = msgspec.field(default_factory=dict)
    key_file: Path | None = None


class House(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration with one of each kind of value."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"gates": "doors"}

    street: Annotated[str, Meta(pattern="^[a-z]+$", description="small letters")] = "main"
    doors: tuple[Door, ...] = ()
    alarm: Lamp | Siren | None = None
    plan: Path | None = None
    extra: Any = None


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "house.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def problem(tmp_path: Path, text: str | bytes) -> str:
    path = written(tmp_path, text)
    with pytest.raises(FileProblem) as caught:
        yaml_file.load(path, House)
    assert caught.value.exit_code == MISCONFIGURED
    return str(caught.value).removeprefix(str(path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("street: a\ndors: []\n", ":2: dors: unknown key; did you mean `doors`?"),
        ("zzz: 1\n", ":1: zzz: unknown key; known here: alarm, doors, extra, plan, street"),
        ("doors:\n  - name: a\n    cods: {}\n", ":3: doors[0].cods: unknown key; did you mean `codes`?"),
        ("doors:\n  - nam: a\n", ":2: doors[0].nam: unknown key; did you mean `name`?"),
        ("doors: [{}]\n", ":1: doors[0]: required key `name` is missing"),
        ("doors:\n- name: a\n  codes:\n    one: 0.5\n    two: 2\n", ":5: doors[0].codes.two: Expected `float` <= 1.0"),
        ("doors:\n- name: yes\n", ":2: doors[0].name: Expected `str`, got `bool`; put the value in quotes"),
        ("doors:\n- name: 2024-01-01\n", ":2: doors[0].name: Expected `str`, got `date`; put the value in quotes"),
        ("street: Main Street\n", ":1: street: Expected `str`: small letters"),
        ("alarm: {kind: siren, volume: loud}\n", ":1: alarm.volume: Invalid enum value 'loud'; use one of high, low"),
        ("alarm: {kind: horn}\n", ":1: alarm.kind: 'horn' is unknown; use one of lamp, siren"),
        ("alarm: {watts: 3}\n", ":1: alarm: required key `kind` is missing; use one of lamp, siren"),
        ("alarm: {kind: lamp, volume: low}\n", ":1: alarm.volume: unknown key; known here: watts"),
        ("alarm: [1]\n", ":1: alarm: Expected `object | null`, got `array`"),
        ("plan: 3\n", ":1: plan: expected a path, got 3"),
        ("plan: ''\n", ":1: plan: expected a path, got ''"),
        ("plan: ~nobody-here/plan.png\n", ":1: plan: '~nobody-here/plan.png': there is no such user's home folder"),
        ("street: a\nstreet: b\n", ":2: the key `street` stands twice"),
        ("doors:\n- {name: a, name: b}\n", ":2: the key `name` stands twice"),
        ("? [a]\n: b\n", ":1: a key must be one word"),
        ("street: [a\n", ":2: not YAML: expected ',' or ']', but got '<stream end>'"),
        (b"street: a\nplan: \xff\n", ":2: byte 16 is not UTF-8; save the file as UTF-8"),
        ("- a\n", ": expected keys with values, got a list"),
        ("hello\n", ": expected keys with values, got 'hello'"),
        ("extra: &a [*a]\n", ":1: an anchor (&name) refers to itself"),
        ("street: 2001-99-99\n", ": not YAML: month must be in 1..12"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_mistake_is_named_with_its_line_its_key_and_what_is_right(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    assert problem(tmp_path, text) == said


def test_a_file_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"none\.yaml: No such file or directory; see --config$"):
        yaml_file.load(tmp_path / "none.yaml", House, if_missing="see --config")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"Is a directory$"):
        yaml_file.load(tmp_path, House, if_missing="see --config")


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n", "null\n"])
def test_a_file_may_be_empty_where_every_key_has_a_default(tmp_path: Path, text: str) -> None:
    assert yaml_file.load(written(tmp_path, text), House) == House()


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    assert yaml_file.load(written(tmp_path, "\ufeffstreet: a\n"), House).street == "a"


def test_a_relative_path_starts_at_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(written(tmp_path, "plan: ../plans/a.png\n"))

    assert yaml_file.load(tmp_path / "link", House).plan == tmp_path.parent / "plans" / "a.png"


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")

    assert yaml_file.load(written(tmp_path, "plan: ~/models/x\n"), House).plan == Path("/home/ada/models/x")


def test_text_is_composed_and_paths_are_as_written(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "정문")
    text = f"doors: [{{name: {decomposed}, codes: {{{decomposed}: 1}}, key_file: /{decomposed}}}]\n"

    (door,) = yaml_file.load(written(tmp_path, text), House).doors

    assert (door.name, list(door.codes), door.key_file) == ("정문", ["정문"], Path("/") / decomposed)


def test_an_old_key_is_read_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path, "gates:\n- title: a\n")

    with caplog.at_level(logging.WARNING):
        house = yaml_file.load(path, House)

    assert house.doors == (Door(name="a"),)
    found = [(record.__dict__["key"], record.__dict__["write"]) for record in caplog.records]
    assert found == [("gates", "doors"), ("gates[0].title", "name")]


def test_an_old_key_beside_the_new_one_is_refused(tmp_path: Path) -> None:
    said = problem(tmp_path, "doors: []\ngates: []\n")

    assert said == ":2: gates: this is the old name of `doors`, which is there too; keep one"


@pytest.mark.parametrize(
    ("old", "new"),
    [("gates", "doors"), ("gates.title", "doors.name"), ("doors.codes.title", "doors.codes.title"), ("x.y", "x.y")],
)
def test_a_dotted_key_is_written_as_it_is_called_today(old: str, new: str) -> None:
    assert yaml_file.today(House, old) == new


def test_an_old_key_is_no_suggestion(tmp_path: Path) -> None:
    assert "gates" not in problem(tmp_path, "gate: 1\n")


def test_words_of_a_command_line_become_a_structure() -> None:
    assert yaml_file.assigned("--alarm", ["watts=3", "watts=7"], Lamp) == Lamp(watts=7)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("wats=3", "--alarm: wats: unknown key; did you mean `watts`?"),
        ("watts=0", "--alarm: watts: Expected `int` >= 1"),
        ("watts", "--alarm: watts: Expected `int`, got `str`; write a number without quotes"),
    ],
)
def test_a_wrong_word_of_a_command_line_is_named(word: str, said: str) -> None:
    with pytest.raises(FileProblem) as caught:
        yaml_file.assigned("--alarm", [word], Lamp)

    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("where", "line"),
    [("doors[1].name", 4), ("doors[1].none", 4), ("doors[9]", 1), ("doors", 1), ("none", None), ("", None)],
)
def test_the_line_of_a_value_is_found_or_that_of_its_nearest_parent(where: str, line: int | None) -> None:
    document = yaml_file.parse("doors:\n- name: a\n\n- name: b\n", "draft", Path())

    assert document.line(where) == line


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
keys = st.sampled_from(["street", "doors", "gates", "alarm", "plan", "name", "title", "codes", "kind", "watts", "x"])


def house_or_line(text: str) -> bool:
    try:
        return isinstance(yaml_file.parse(text, "draft", Path("/nowhere")).convert(House), House)
    except FileProblem as error:
        return str(error).startswith("draft") and "\n" not in str(error)


@given(st.dictionaries(keys, trees | st.lists(st.dictionaries(keys, trees)) | st.dictionaries(keys, trees)))
def test_any_tree_becomes_a_structure_or_one_line(tree: dict[str, Any]) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True)

    assert house_or_line(text)


@given(st.text() | st.text(alphabet="ab:-[]{}&*!?|>'\"# \n\t01.~", max_size=40))
def test_any_text_becomes_a_document_or_one_line(text: str) -> None:
    assert house_or_line(text)
