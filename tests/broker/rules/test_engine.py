"""What the shipped rules fire on, what they keep quiet about, and why."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from broker.config.section import Wording
from broker.rules import compiler, engine
from broker.rules.compiler import Rulebook
from broker.rules.engine import Finding, Seen
from broker.rules.reasons import HazardBelieved, LowConfidence, in_english
from broker.rules.schema import RulesFile, RuleText
from tests.broker.device import event
from tests.broker.running_service import RULES

HERE = Path(__file__).resolve().parent
SENTENCES: dict[str, Any] = yaml.safe_load((HERE / "sentences.yaml").read_text(encoding="utf-8"))
DANGERS = [(danger, sentence) for danger, sentences in SENTENCES["dangers"].items() for sentence in sentences]

SHIPPED = compiler.load(RULES)

SUBSTRINGS = ("gun", "knife", "knives", "fire", "smoke", "fight", "falling", "lying on the floor")
"""What a search for danger words inside the text would look for: few, so that it has few false alarms."""


def fired(book: Rulebook, seen: Seen | str) -> set[str]:
    seen = Seen(seen) if isinstance(seen, str) else seen
    return {finding.rule.name for finding in engine.judge(book, seen) if finding.fired}


def only(book: Rulebook, seen: Seen | str) -> Finding:
    (finding,) = engine.judge(book, Seen(seen) if isinstance(seen, str) else seen)
    return finding


def one_rule(**changes: Any) -> Rulebook:
    facts: dict[str, Any] = {"name": "gun", "says": ("gun",)}
    return compiler.build(RulesFile(rules=(RuleText(**(facts | changes)),)), origin="rules.yaml")


@pytest.mark.parametrize(("danger", "sentence"), DANGERS, ids=[sentence for _, sentence in DANGERS])
def test_a_true_danger_fires(danger: str, sentence: str) -> None:
    names = fired(SHIPPED, sentence)

    assert any(name.startswith(danger) for name in names), names


@pytest.mark.parametrize("sentence", SENTENCES["peaceful"])
def test_a_peaceful_sentence_fires_nothing(sentence: str) -> None:
    assert fired(SHIPPED, sentence) == set()


def taught(*, dangerous: bool) -> list[str]:
    """Return the sentences by which the shipped model was taught to speak of danger, or of none."""
    recipe = yaml.safe_load((RULES.parent / "hazard-sentences.yaml").read_text(encoding="utf-8"))
    words = recipe["words"]
    found = []
    for key, templates in recipe["sentences"].items():
        if (key.split("/")[0] != "none" and key != "knife/coco") == dangerous:
            for template in templates:
                names = [name for name in words if f"{{{name}}}" in template]
                for chosen in itertools.product(*(words[name] for name in names)):
                    found.append(template.format(**dict(zip(names, chosen, strict=True))))
    return sorted(set(found))


@pytest.mark.parametrize("sentence", taught(dangerous=True))
def test_every_dangerous_sentence_that_the_model_was_taught_fires(sentence: str) -> None:
    assert fired(SHIPPED, sentence)


@pytest.mark.parametrize("sentence", taught(dangerous=False))
def test_no_peaceful_sentence_that_the_model_was_taught_fires(sentence: str) -> None:
    assert fired(SHIPPED, sentence) == set()


def test_on_peaceful_captions_the_rules_fire_a_twentieth_as_often_as_substrings(shared_data: Path) -> None:
    captions = [record["caption"] for record in json.loads((shared_data / "coco_text" / "captions.json").read_text())]
    naive = sum(any(word in caption.lower() for word in SUBSTRINGS) for caption in captions)

    ours = sum(bool(fired(SHIPPED, caption)) for caption in captions)

    assert ours * 20 <= naive


@pytest.mark.parametrize(
    ("sentence", "because"),
    [
        ("a man is holding a gun", "says 'gun'"),
        ("a water gun beside a real gun", "says 'gun'"),
    ],
)
def test_a_finding_says_why_it_fired(sentence: str, because: str) -> None:
    finding = only(SHIPPED, sentence)

    assert finding.fired
    assert in_english(finding.reasons) == because


@pytest.mark.parametrize(
    ("sentence", "because"),
    [
        ("a fire hydrant", "only in 'fire hydrant'"),
        ("there is no fire", "'no' stands before 'fire'"),
        ("people at a gun shooting range", "says 'shooting range'"),
        ("a person is cutting bread while holding a knife", "says 'cutting'"),
    ],
)
def test_a_finding_says_why_it_was_cancelled(sentence: str, because: str) -> None:
    finding = only(SHIPPED, sentence)

    assert not finding.fired
    assert in_english(finding.reasons) == because


def test_a_hazard_fires_though_the_sentence_keeps_quiet() -> None:
    finding = only(SHIPPED, Seen("a man stands in a corridor", hazards={"gun": 0.71}))

    assert finding.fired
    assert finding.reasons == (HazardBelieved("gun", 0.71, 0.5),)


def test_a_hazard_below_the_limit_does_not_fire() -> None:
    assert engine.judge(SHIPPED, Seen("a man stands in a corridor", hazards={"gun": 0.49})) == []


def test_a_sentence_that_explains_the_hazard_away_cancels_it() -> None:
    finding = only(SHIPPED, Seen("a red fire truck on a street", hazards={"fire": 0.99}))

    assert not finding.fired


def test_a_caption_that_is_less_sure_than_the_rule_asks_does_not_fire_it() -> None:
    book = one_rule(min_confidence=0.5)

    assert fired(book, Seen("a gun", confidence=0.5)) == {"gun"}
    assert only(book, Seen("a gun", confidence=0.4)).reasons == (LowConfidence(0.4, 0.5),)


@pytest.mark.parametrize(
    ("scope", "fires"),
    [
        ({"sites": ("north-gate",)}, True),
        ({"sites": ("south-gate",)}, False),
        ({"devices": ("pi-01",)}, True),
        ({"devices": ("pi-02",)}, False),
        ({"streams": ("cam-0",), "sites": ("north-gate", "south-gate")}, True),
        ({"streams": ("cam-1",), "sites": ("north-gate",)}, False),
    ],
    ids=str,
)
def test_a_rule_looks_only_at_the_places_it_names(scope: dict[str, Any], fires: bool) -> None:
    assert bool(fired(one_rule(**scope), Seen.of(event("a gun")))) == fires


def test_an_event_brings_its_hazards_to_the_rules() -> None:
    seen = Seen.of(event("a man stands", hazards={"gun": 0.8}))

    assert seen.hazards == {"gun": 0.8}


def test_every_shipped_rule_has_a_title_in_both_languages() -> None:
    titles = [rule.title for rule in SHIPPED.rules]

    assert all(isinstance(title, Wording) and title.en and title.ko for title in titles)


@given(st.text(max_size=200))
def test_any_text_at_all_can_be_judged(text: str) -> None:
    findings = engine.judge(SHIPPED, Seen(text))

    assert all(finding.reasons for finding in findings)


@given(
    st.lists(
        st.sampled_from(
            [
                "no",
                "not",
                "without",
                "a",
                "man",
                "gun",
                "fire",
                "hydrant",
                ",",
                "and",
                "knife",
                "fork",
                "hold",
                "is",
                "lie",
                "floor",
            ]
        )
    )
)
def test_any_order_of_danger_words_can_be_judged(words: list[str]) -> None:
    findings = engine.judge(SHIPPED, Seen(" ".join(words)))

    assert len({finding.rule.name for finding in findings}) == len(findings)


def test_wordings_that_nobody_tuned_the_rules_to_mostly_fire() -> None:
    unseen = yaml.safe_load((HERE / "paraphrases.yaml").read_text(encoding="utf-8"))
    dangers = [(danger, sentence) for danger, sentences in unseen["dangers"].items() for sentence in sentences]

    heard = [
        sentence for danger, sentence in dangers if any(name.startswith(danger) for name in fired(SHIPPED, sentence))
    ]
    false = [sentence for sentence in unseen["peaceful"] if fired(SHIPPED, sentence)]

    assert len(heard) >= 0.9 * len(dangers)
    assert len(false) <= 0.05 * len(unseen["peaceful"])
