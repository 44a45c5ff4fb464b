"""The measurements of the alert service, small enough for a test: that they work, not what they find."""

from itertools import islice

from bench import alert_latency, endurance, intake_speed, talk
from bench.endurance import Sample
from broker.rules import compiler, engine
from broker.rules.engine import Seen
from contract import caption
from tests.broker.running_service import RULES


def test_the_talk_keeps_the_contract_and_the_rules_know_which_of_it_is_dangerous() -> None:
    book = compiler.load(RULES)
    said = list(islice(talk.talking(100), 2000))
    events = [caption.decode(one.payload) for one in said]
    fired = [any(finding.fired for finding in engine.judge(book, Seen.of(event))) for event in events]

    assert len({event.id for event in events}) == 2000
    assert fired == [one.danger for one in said]
    assert any(fired)


def test_captions_are_counted_on_both_sides() -> None:
    found = intake_speed.compare(count=5000, rounds=1)

    assert all(value > 0 for value in found.values())


def test_every_danger_is_timed_to_its_text_message() -> None:
    found = alert_latency.measure(seconds=2)

    assert found["told"] == 4
    assert 0 < found["p50"] <= found["p95"] <= found["p99"]


def test_memory_and_disk_are_looked_at() -> None:
    found = endurance.measure(2000)

    assert found["warm_mib"] > 0
    assert found["disk_bytes"] > 0


def test_growth_is_a_slope() -> None:
    samples = [Sample(captions, 1000 + 3 * captions) for captions in range(0, 100, 10)]

    assert endurance.slope(samples) == 3
    assert endurance.slope(samples[:1]) == 0
