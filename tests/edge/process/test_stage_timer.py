"""Latency by stage."""

import pytest

from edge.process.stage_timer import WINDOW, Latency


def test_percentiles_are_those_of_the_times_that_were_seen() -> None:
    latency = Latency()
    for milliseconds in range(1, 101):
        latency.add("encode", milliseconds / 1000)

    (stage,) = latency.stages()

    assert (stage.name, stage.p50_ms, stage.p95_ms) == ("encode", 51.0, 96.0)


def test_stages_stand_in_the_order_of_the_work() -> None:
    latency = Latency()
    for stage in ("ack", "store", "wait"):
        latency.add(stage, 1)

    assert [stage.name for stage in latency.stages()] == ["wait", "store", "ack"]


def test_old_times_are_forgotten() -> None:
    latency = Latency()
    latency.add("gate", 100)
    for _ in range(WINDOW):
        latency.add("gate", 0.001)

    assert latency.stages()[0].p95_ms == 1.0


def test_a_block_is_timed_by_the_clock_and_not_counted_when_it_fails() -> None:
    ticks = iter([10.0, 10.5, 20.0])
    latency = Latency(lambda: next(ticks))

    with latency.of("store"):
        pass
    with pytest.raises(OSError, match="disk"), latency.of("store"):
        raise OSError("disk")

    assert [(stage.p50_ms, stage.p95_ms) for stage in latency.stages()] == [(500.0, 500.0)]
