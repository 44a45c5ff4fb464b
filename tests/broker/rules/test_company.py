"""Rules about who is in view: visits, zones and numbers of people."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from broker.rules import compiler, engine, lint
from broker.rules.company import Company
from broker.rules.compiler import Rulebook
from broker.rules.engine import Finding, Seen
from broker.rules.reasons import in_english
from broker.rules.schema import Count, People, RulesFile, RuleText
from contract.caption import Caption, InZone, Label, Phase, Visit
from tests.broker.device import event

DOOR = "north-door"


def book(**facts: Any) -> Rulebook:
    return compiler.build(RulesFile(rules=(RuleText(**({"name": "lingers"} | facts)),)), origin="rules.yaml")


def judged(rules: Rulebook, caption: Caption) -> list[Finding]:
    """Judge as the service does: only what may concern any rule."""
    found = engine.judge(rules, Seen.of(caption))
    assert engine.may_concern(rules, caption) or not found
    return found


def seen(*visits: Visit, people: int | None = None, **fields: Any) -> Caption:
    known = {} if people is None else {"people": people}
    return msgspec.structs.replace(event("a man is walking"), visits=visits, labels=(), **known, **fields)


def visit(seconds: int, *zones: InZone, phase: Phase = Phase.STAYS) -> Visit:
    return Visit("9f3c61d2", phase, seconds, zones)


@pytest.mark.parametrize(
    ("facts", "caption", "because"),
    [
        ({"stays_seconds": 60}, seen(visit(59)), None),
        ({"stays_seconds": 60}, seen(visit(3), visit(64)), "somebody has been in view for 64 s, 60 or more needed"),
        ({"stays_seconds": 60}, seen(visit(300, phase=Phase.LEAVES)), None),
        ({"enters": (DOOR,)}, seen(visit(9, InZone(DOOR, 1, entered=True))), "somebody entered north-door"),
        ({"enters": (DOOR,)}, seen(visit(9, InZone(DOOR, 8))), None),
        ({"enters": (DOOR,)}, seen(visit(9, InZone("yard", 1, entered=True))), None),
        (
            {"enters": (DOOR, "yard"), "stays_seconds": 30},
            seen(visit(90, InZone("yard", 31), InZone(DOOR, 5))),
            "somebody has been in yard for 31 s, 30 or more needed",
        ),
        ({"enters": (DOOR,), "stays_seconds": 30}, seen(visit(90, InZone(DOOR, 5))), None),
        ({"people": People(at_least=3)}, seen(people=3), "3 people in view, 3 or more needed"),
        ({"people": People(at_least=3)}, seen(people=2), None),
        ({"people": People(at_least=2), "stays_seconds": 5}, seen(visit(9), people=1), None),
    ],
)
def test_a_rule_fires_by_who_is_in_view(facts: dict[str, Any], caption: Caption, because: str | None) -> None:
    found = judged(book(**facts), caption)

    assert [in_english(finding.reasons) for finding in found if finding.fired] == ([because] if because else [])
    assert len(found) == bool(because)


def test_where_a_device_follows_nobody_its_boxes_count_the_people() -> None:
    rules = book(people=People(at_least=2))
    older = msgspec.structs.replace(event("people"), labels=(Label("person", 2, 0.9),))

    assert [finding.fired for finding in judged(rules, older)] == [True]
    assert judged(rules, msgspec.structs.replace(older, people=1)) == []


def test_a_rule_with_words_needs_the_people_too() -> None:
    rules = book(says=("walk",), people=People(at_least=2))

    alone, together = judged(rules, seen(people=1)), judged(rules, seen(people=2))

    assert [in_english(finding.reasons) for finding in (*alone, *together)] == [
        "1 people in view; 2 are needed",
        "says 'walking'",
    ]
    assert [finding.fired for finding in (*alone, *together)] == [False, True]


def test_what_cancels_a_rule_cancels_one_of_people() -> None:
    rules = book(stays_seconds=5, unless=("walk",))

    (found,) = judged(rules, seen(visit(9)))

    assert (found.fired, in_english(found.reasons)) == (False, "says 'walking'")


def test_a_rule_of_people_holds_where_and_when_it_says() -> None:
    elsewhere = book(stays_seconds=5, sites=("elsewhere",))

    assert judged(elsewhere, seen(visit(9))) == []


def test_a_caption_of_before_says_nothing_of_visits() -> None:
    assert Company.of(event("a man")).visits == ()
    assert judged(book(stays_seconds=1), event("a man")) == []


def test_words_that_need_people_are_not_taken_for_dead(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(
        "rules:\n"
        "- {name: climbs, says: [climb], enters: [north-door], stays_seconds: 3, people: {at_least: 2}}\n"
        "- {name: lingers, stays_seconds: 60}\n",
        encoding="utf-8",
    )

    assert lint.check(path) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{name: x}", "the rule 'x' can never fire: give it `says`, `hazards`, `labels`, `enters`, `stays_seconds` or"),
        ("{name: x, stays_seconds: 0}", "rules[0].stays_seconds: Expected `int` >= 1"),
        ("{name: x, stays: 60}", "rules[0].stays: unknown key"),
        ("{name: x, enters: North Door}", "rules[0].enters: Expected `array`"),
        ("{name: x, people: {at_most: 3}}", "rules[0].people.at_most: unknown key"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(f"rules:\n- {text}\n", encoding="utf-8")

    (found,) = lint.check(path)

    assert problem in str(found)


def test_a_count_of_boxes_is_asked_for_as_before() -> None:
    rules = book(labels={"person": Count(2)})

    assert [finding.fired for finding in judged(rules, seen(people=5))] == []
