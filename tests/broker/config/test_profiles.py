"""Profiles: which is in force where and when, and the rules that hold in some alone."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from broker.config import broker
from broker.config.errors import Misconfigured
from broker.config.sites import Places
from broker.rules import compiler, engine, lint
from broker.rules.engine import Seen
from broker.rules.replay import Line, Trial
from broker.rules.schema import RulesFile, RuleText
from tests.broker.running_service import RULES, write_config

HOURS = {"away": ["mon-fri 09:00-17:30"], "night": ["22:00-06:00"]}
SITES = [{"id": "depot", "profiles": {"night": ["18:00-07:00"]}}, {"id": "shop", "timezone": "UTC"}]


def places(folder: Path, **changes: Any) -> Places:
    return Places.of(broker.load(write_config(folder, timezone="Asia/Seoul", profiles=HOURS, sites=SITES, **changes)))


@pytest.mark.parametrize(
    ("site", "hour", "profile"),
    [
        ("anywhere", 1, "away"),  # 10:00 in Seoul
        ("anywhere", 9, "home"),  # 18:00
        ("anywhere", 14, "night"),  # 23:00
        ("depot", 1, "home"),
        ("depot", 9, "night"),
        ("shop", 10, "away"),
        ("shop", 23, "night"),
    ],
)
def test_a_profile_is_in_force_by_the_clock_of_the_site(tmp_path: Path, site: str, hour: int, profile: str) -> None:
    known = places(tmp_path)
    friday = datetime(2026, 3, 13, hour, 0, tzinfo=UTC)

    assert known.profile_at(known.local(friday, site), site) == profile


def test_without_profiles_it_is_home(tmp_path: Path) -> None:
    known = Places.of(broker.load(write_config(tmp_path)))

    assert known.profile_at(datetime(2026, 3, 13, tzinfo=UTC), "anywhere") == "home"


def rules() -> compiler.Rulebook:
    texts = (RuleText(name="gun", says=("gun",)), RuleText(name="lingers", says=("stay",), profiles=("away", "night")))
    return compiler.build(RulesFile(rules=texts), origin="rules.yaml")


@pytest.mark.parametrize(
    ("profile", "names"),
    [("home", ["gun"]), ("night", ["gun", "lingers"]), ("", ["gun", "lingers"])],
)
def test_a_rule_holds_in_its_profiles_and_one_without_always(profile: str, names: list[str]) -> None:
    found = engine.judge(rules(), Seen("a man with a gun stays", profile=profile))

    assert [finding.rule.name for finding in found] == names


def test_a_replay_goes_by_the_profile_that_was_in_force(tmp_path: Path) -> None:
    trial = Trial(rules(), places(tmp_path))

    fired = [
        [one.rule for one in trial.judge(Line("a man stays", site="shop", captured_at=at)).fired]
        for at in (datetime(2026, 3, 13, 20, tzinfo=UTC), datetime(2026, 3, 13, 23, tzinfo=UTC))
    ]

    assert fired == [[], ["lingers"]]


def test_hours_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"`profiles\.night`: 'noon' is not a day"):
        broker.load(write_config(tmp_path, profiles={"night": ["noon"]}))
    with pytest.raises(Misconfigured, match=r"profiles\.night"):
        broker.load(write_config(tmp_path, profiles={"night": []}))


def test_a_profile_that_nobody_sets_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rules:\n- {name: x, says: [gun], profiles: [nigth, home]}\n", encoding="utf-8")

    (found,) = lint.check(path, broker.load(write_config(tmp_path, profiles=HOURS)))

    assert "broker.yaml has no profile 'nigth'; did you mean `night`?" in str(found)


def test_the_shipped_rules_hold_in_every_profile() -> None:
    assert all(not rule.profiles for rule in compiler.load(RULES).rules)
