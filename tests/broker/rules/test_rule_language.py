"""What the language of the rules can say: suppositions, expressions, lists, counts, zones and hours."""

from datetime import datetime
from typing import Any

import pytest

from broker.rules import compiler
from broker.rules.engine import Seen
from broker.rules.reasons import LabelMissing, Says
from broker.rules.schema import Count, RulesFile, RuleText
from contract.caption import Label
from tests.broker.rules.test_engine import SHIPPED, fired, one_rule, only


@pytest.mark.parametrize(
    "sentence", ["a man holding no knife", "a man acts as if he had a knife", "a cloud shaped like a knife"]
)
def test_what_is_denied_or_supposed_does_not_fire(sentence: str) -> None:
    book = compiler.build(
        RulesFile(supposed=("as if", "shape like"), rules=(RuleText(name="knife", says=("man ... knife", "knife")),)),
        origin="rules.yaml",
    )

    assert fired(book, sentence) == set()


def test_what_something_looks_like_may_be_it() -> None:
    assert fired(SHIPPED, "a man is holding what looks like a gun") == {"gun"}
    assert fired(SHIPPED, "a lighter that looks like a gun") == set()


def test_a_regular_expression_is_a_phrase() -> None:
    book = one_rule(says=("/gun(man|men)/",), exceptions=("/toy [a-z]+/",))

    assert fired(book, "two GUNMEN run") == {"gun"}
    assert fired(book, "a toy gunman") == set()
    assert only(book, "two gunmen").reasons == (Says("gunmen"),)


def test_an_expression_that_would_take_for_ever_elsewhere_takes_no_time_here() -> None:
    book = one_rule(says=("/(a+)+$/",))

    assert fired(book, "a" * 199 + "!") == set()


def test_a_list_may_name_another() -> None:
    file = RulesFile(
        lists={"tool": ("hammer",), "weapon": ("<tool>", "sword")}, rules=(RuleText(name="a", says=("<weapon>",)),)
    )
    book = compiler.build(file, origin="rules.yaml")

    assert fired(book, "a hammer") == fired(book, "a sword") == {"a"}


def counted(**counts: tuple[int, float]) -> Seen:
    return Seen("a room", labels={name: Label(name, count, score) for name, (count, score) in counts.items()})


@pytest.mark.parametrize(
    ("seen", "fires"),
    [
        (counted(person=(3, 0.9)), True),
        (counted(person=(2, 0.9)), False),
        (counted(person=(3, 0.4)), False),
        (counted(dog=(3, 0.9)), False),
        (counted(), False),
    ],
    ids=["enough", "too few", "too unsure", "another thing", "nothing"],
)
def test_what_the_detector_counts_fires_a_rule(seen: Seen, fires: bool) -> None:
    book = one_rule(says=(), labels={"person": Count(count=3, score=0.5)})

    assert bool(fired(book, seen)) == fires


def test_a_rule_may_require_what_the_detector_counts() -> None:
    book = one_rule(requires={"person": Count(count=1)})

    assert only(book, "a gun").reasons == (LabelMissing("person", 1),)
    assert fired(book, Seen("a gun", labels={"person": Label("person", 1, 0.3)})) == {"gun"}


def test_a_rule_holds_in_its_zones_and_hours() -> None:
    book = one_rule(zones=("indoor",), when=("mon-fri 22:00-06:00",))
    friday_night = datetime(2026, 3, 13, 23, 0)

    def seen(**changes: Any) -> Seen:
        facts: dict[str, Any] = {"zones": frozenset({"indoor"}), "local": friday_night}
        return Seen("a gun", **(facts | changes))

    assert fired(book, seen()) == {"gun"}
    assert fired(book, seen(zones=frozenset())) == set()
    assert fired(book, seen(local=friday_night.replace(hour=12))) == set()
    assert fired(book, seen(local=None)) == {"gun"}
