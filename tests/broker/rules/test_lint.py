"""Mistakes in the rules, each named with its file, its line and its place."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from broker.config import broker
from broker.config.errors import Misconfigured
from broker.rules import compiler, engine, lint
from broker.rules.engine import Seen
from broker.rules.schema import RulesFile
from foundation import yaml_file
from tests.broker.running_service import RULES, write_config


def problems(folder: Path, text: str) -> list[str]:
    path = folder / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return [str(problem).removeprefix(str(path)) for problem in lint.check(path)]


def test_the_shipped_rules_have_no_mistake() -> None:
    assert lint.check(RULES, broker.load(RULES.parent / "broker.yaml")) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "lists:\n  a: [<b>]\n  b: [dog, <a>]\nrules: [{name: x, says: [gun]}]",
            ":2: error: lists.a: <a> names <b> names <a>: a list cannot hold itself; take one of them out",
            id="lists in circles",
        ),
        pytest.param(
            "rules:\n- name: x\n  says:\n  - gun\n  - /(a/",
            ":5: error: rules[0].says[1]: '/(a/' is no regular expression that RE2 knows: missing ): (a",
            id="a broken expression",
        ),
        pytest.param(
            "rules:\n- name: x\n  says: [/a*/]",
            ":3: error: rules[0].says[0]: '/a*/' matches the empty text; write what to look for",
            id="an expression that fits everything",
        ),
        pytest.param(
            "rules:\n- name: x\n  says: [<nobody> runs]",
            ":3: error: rules[0].says[0]: there is no list <nobody>; lists here: none",
            id="an unknown list",
        ),
        pytest.param(
            "rules:\n- name: x\n  says: [gun]\n  when: [noon]",
            ":2: error: rules[0]: `when`: 'noon' is not a day; days are mon, tue, wed, thu, fri, sat, sun",
            id="a bad hour",
        ),
        pytest.param(
            "rules:\n- name: x\n  says: [gun]\n  seen: {times: 6, of: 5, within_seconds: 9}",
            ":4: error: rules[0].seen: `seen` can never be: 6 times in 5 captions; `times` is at most `of`",
            id="six of five",
        ),
        pytest.param(
            "rules:\n- name: x\n  says: [gun]\n  zone: [a]",
            ":4: error: rules[0].zone: unknown key; did you mean `zones`?",
            id="an unknown key",
        ),
        pytest.param(
            "rules:\n- name: x\n  says: [water gun]\n  except: [water gun]",
            ":3: warning: rules[0].says[0]: 'water gun' never fires 'x': of 'water gun', only in 'water gun'",
            id="a phrase that is always cancelled",
        ),
        pytest.param(
            "unless: [gun]\nrules:\n- name: x\n  says: [gun]",
            ":4: warning: rules[0].says[0]: 'gun' never fires 'x': of 'gun', says 'gun'",
            id="a phrase that every rule's `unless` cancels",
        ),
        pytest.param(
            "rules:\n- {name: x, severity: critical, says: [gun]}\n- {name: y, danger: x, says: [gun]}",
            ":3: warning: rules[1].says[0]: 'gun' is warning here and critical in 'x'",
            id="one phrase of two severities",
        ),
        pytest.param(
            "lists: {idle: [dog]}\nrules: [{name: x, says: [gun]}]",
            ":1: warning: lists.idle: no phrase names <idle>",
            id="a list that nothing names",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in problems(tmp_path, text)


def test_all_broken_phrases_are_named_not_the_first_alone(tmp_path: Path) -> None:
    found = problems(tmp_path, "unless: ['?']\nrules:\n- {name: x, says: [/(/, a ...]}\n- {name: y, says: [<z>]}")

    assert [line.split(": ")[2] for line in found] == [
        "unless[0]",
        "rules[0].says[0]",
        "rules[0].says[1]",
        "rules[1].says[0]",
    ]


def test_places_and_dangers_that_the_configuration_lacks_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rules:\n- {name: gun, says: [gun], sites: [north-gat], zones: [lobby]}", encoding="utf-8")
    known = broker.load(write_config(tmp_path, incidents={"inhibit": [{"while": ["fyre"], "hold_back": ["gun"]}]}))

    found = [str(problem).removeprefix(f"{path}:") for problem in lint.check(path, known)]

    assert found == [
        "2: warning: rules[0].sites[0]: broker.yaml has no site 'north-gat'; did you mean `north-gate`?",
        "2: warning: rules[0].zones[0]: broker.yaml has no zone 'lobby'; known here: nothing",
        " warning: broker.yaml: incidents.inhibit[0].while: no rule has the danger 'fyre'; known here: gun",
    ]


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
phrases = st.text(alphabet="abgun |<>=~./()*+[]?\\", max_size=20) | st.sampled_from(
    ["gun", "<a>", "/(a+)+$/", "a ... b"]
)
rule = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b", "A B"])},
    optional={
        "says": st.lists(phrases, max_size=3),
        "except": st.lists(phrases, max_size=2),
        "unless": trees,
        "hazards": trees,
        "labels": trees,
        "when": st.lists(st.text(max_size=12), max_size=2),
        "seen": trees,
        "zones": trees,
    },
)
files = trees | st.fixed_dictionaries(
    {"rules": st.lists(rule, max_size=3)},
    optional={
        "lists": st.dictionaries(st.sampled_from(["a", "b"]), st.lists(phrases, max_size=3), max_size=2),
        "supposed": st.lists(phrases, max_size=2),
    },
)


@given(files, st.text(max_size=60))
def test_any_tree_is_a_rulebook_or_refused_and_judges_any_text(tmp_path_factory: Any, tree: Any, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")

    found = lint.check(path)

    try:
        book = compiler.build(yaml_file.load(path, RulesFile), origin=str(path))
    except Misconfigured:
        assert any(problem.fatal for problem in found)
        return
    assert not any(problem.fatal for problem in found)
    assert all(finding.reasons for finding in engine.judge(book, Seen(text)))


@given(st.binary(max_size=200))
def test_any_bytes_are_rules_or_refused(tmp_path_factory: Any, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(data)

    assert any(problem.fatal for problem in lint.check(path))
