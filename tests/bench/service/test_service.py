"""The measurements of the alert service, small enough for a test: that they work, not what they find."""

from itertools import islice

from bench.fixtures import caption_stream
from bench.service import latency, soak, throughput
from bench.service.soak import Sample
from broker.rules import compiler, engine
from broker.rules.engine import Seen
from contract import caption
from tests.broker.running_service import RULES


def test_the_talk_keeps_the_contract_and_the_rules_know_which_of_it_is_dangerous() -> None:
    book = compiler.load(RULES)
    said = list(islice(caption_stream.talking(100), 2000))
    events = [caption.decode(one.payload) for one in said]
    fired = [any(finding.fired for finding in engine.judge(book, Seen.of(event))) for event in events]

    assert len({event.id for event in events}) == 2000
    assert fired == [one.danger for one in said]
    assert any(fired)


def test_captions_are_counted_on_both_sides() -> None:
    found = throughput.compare(count=5000, rounds=1)

    assert all(value > 0 for value in found.values())


def test_every_danger_is_timed_to_its_text_message() -> None:
    found = latency.measure(seconds=2)

    assert found["told"] == 4
    assert 0 < found["p50"] <= found["p95"] <= found["p99"]


def test_memory_and_disk_are_looked_at() -> None:
    found = soak.measure(2000)

    assert found["warm_mib"] > 0
    assert found["disk_bytes"] > 0


def test_growth_is_a_slope() -> None:
    samples = [Sample(captions, 1000 + 3 * captions) for captions in range(0, 100, 10)]

    assert soak.slope(samples) == 3
    assert soak.slope(samples[:1]) == 0
