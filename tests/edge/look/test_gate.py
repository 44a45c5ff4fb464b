"""The gate: which frames are worth a sentence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import config
from edge.look import gate
from edge.look.gate import Memory, Reason

SETTINGS = config.Gate(min_gap_seconds=1.0, overdue_seconds=60.0)
SCENE = np.random.default_rng(0).integers(60, 180, (gate.HEIGHT, gate.WIDTH)).astype(np.uint8)


def noisy(scene: gate.Thumbnail, seed: int = 1) -> gate.Thumbnail:
    """The same scene through a sensor with a noise of three grey levels."""
    noise = np.random.default_rng(seed).normal(0, 3, scene.shape)
    return np.clip(scene + noise, 0, 255).astype(np.uint8)


def person(scene: gate.Thumbnail, column: int) -> gate.Thumbnail:
    """The scene with somebody dark of 8 x 3 spots in it: a hundredth of the frame."""
    seen = scene.copy()
    seen[14:22, column : column + 3] = 5
    return seen


def remembered(scene: gate.Thumbnail = SCENE, at: float = 0.0) -> Memory:
    return Memory(scene, scene, at, at)


@pytest.mark.parametrize(
    ("thumbnail", "at", "memory", "reason"),
    [
        pytest.param(SCENE, 0.0, None, Reason.FIRST, id="the first frame of all"),
        pytest.param(SCENE, 5.0, remembered(), Reason.STILL, id="nothing happens"),
        pytest.param(noisy(SCENE), 5.0, remembered(), Reason.STILL, id="sensor noise is nothing"),
        pytest.param(person(SCENE, 20), 5.0, remembered(), Reason.MOTION, id="somebody comes"),
        pytest.param(person(SCENE, 20), 0.5, remembered(), Reason.TOO_SOON, id="somebody comes at once"),
        pytest.param(255 - SCENE // 3, 5.0, remembered(), Reason.SCENE, id="the light goes on"),
        pytest.param(255 - SCENE // 3, 0.5, remembered(), Reason.TOO_SOON, id="the light goes on at once"),
        pytest.param(SCENE, 60.0, remembered(), Reason.OVERDUE, id="still, for a minute"),
        pytest.param(person(SCENE, 20), 60.0, remembered(), Reason.MOTION, id="motion is told before being overdue"),
    ],
)
def test_a_frame_is_judged_by_what_happened(
    thumbnail: gate.Thumbnail, at: float, memory: Memory | None, reason: Reason
) -> None:
    verdict, _ = gate.judge(thumbnail, at, memory, SETTINGS)

    assert verdict.reason is reason
    assert verdict.caption == (reason not in {Reason.STILL, Reason.TOO_SOON})


def test_a_change_that_came_too_soon_is_captioned_when_it_is_time() -> None:
    verdict, memory = gate.judge(255 - SCENE // 3, 0.4, remembered(), SETTINGS)
    assert verdict.reason is Reason.TOO_SOON

    verdict, _ = gate.judge(255 - SCENE // 3, 1.2, memory, SETTINGS)

    assert verdict.reason is Reason.SCENE


def test_a_slow_change_adds_up_against_the_last_captioned_frame() -> None:
    memory: Memory | None = None
    reasons = []
    for step in range(60):
        darker = (SCENE * (1 - step / 100)).astype(np.uint8)
        verdict, memory = gate.judge(darker, step / 2, memory, SETTINGS)
        reasons.append(verdict.reason)

    assert reasons[0] is Reason.FIRST
    assert Reason.SCENE in reasons
    assert Reason.MOTION not in reasons


def test_somebody_who_stands_still_is_not_motion() -> None:
    _, memory = gate.judge(person(SCENE, 20), 2.0, remembered(), SETTINGS)

    verdict, _ = gate.judge(person(SCENE, 20), 4.0, memory, SETTINGS)

    assert verdict.reason is Reason.STILL


def test_the_verdict_says_how_much_moved() -> None:
    verdict, _ = gate.judge(person(SCENE, 20), 5.0, remembered(), SETTINGS)

    assert verdict.motion == pytest.approx(24 / SCENE.size, abs=1e-3)
    assert 0 < verdict.change < 0.01


@given(st.lists(st.tuples(st.floats(0.01, 100), st.integers(0, 5)), max_size=40))
def test_captions_keep_their_distance_and_are_never_overdue(steps: list[tuple[float, int]]) -> None:
    memory: Memory | None = None
    at, captioned = 0.0, []
    for seconds, scene in steps:
        at += seconds
        verdict, memory = gate.judge(np.full_like(SCENE, scene * 40), at, memory, SETTINGS)
        captioned += [at] if verdict.caption else []
        assert at - captioned[-1] < SETTINGS.overdue_seconds

    gaps = np.diff(captioned)
    assert (gaps >= SETTINGS.min_gap_seconds - 1e-9).all()


def test_while_a_danger_is_in_doubt_still_frames_are_looked_at_and_not_captioned() -> None:
    memory: Memory | None = None
    looked, captioned = [], []
    for number in range(20):
        verdict, memory = gate.judge(SCENE, number / 5, memory, SETTINGS, look_again_seconds=0.4)
        looked += [number / 5] if verdict.look else []
        captioned += [number / 5] if verdict.caption else []

    assert looked == [0.0, 0.4, 0.8, 1.2, 1.6, 2.0, 2.4, 2.8, 3.2, 3.6]
    assert captioned == [0.0]


def test_a_frame_captioned_for_a_danger_counts_as_the_last_captioned_one() -> None:
    _, memory = gate.judge(255 - SCENE // 3, 0.4, remembered(), SETTINGS, look_again_seconds=0.4)

    verdict, _ = gate.judge(255 - SCENE // 3, 1.2, memory.after_caption(), SETTINGS)

    assert verdict.reason is Reason.STILL
