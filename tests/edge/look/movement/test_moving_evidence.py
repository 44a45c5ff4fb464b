"""Evidence of several looks: added in log-odds, to the dangers that the bundle names, and to nothing else."""

import msgspec
import numpy as np
import pytest

from contract import examples
from contract.bundle import MOTION_FEATURES, Manifest, Motion, MotionHead
from edge.infer.captioner import Weighed
from edge.infer.detection import Detection
from edge.look.memory import reading
from edge.look.movement.moving_evidence import MovingEvidence

SHAPE = (360, 640, 3)
STANDS = Detection("person", 0.6, x=0.45, y=0.2, w=0.12, h=0.6)
EVIDENCE = {"gun": 0.3, "fire": 0.1}
CELLS = np.zeros((1, 1, 1), np.float32)


def manifest(motion: Motion | msgspec.UnsetType) -> Manifest:
    return msgspec.structs.replace(examples.MANIFEST, motion=motion)


def head(bias: float) -> MotionHead:
    nothing = (0.0,) * MOTION_FEATURES
    return MotionHead(mean=nothing, spread=(1.0,) * MOTION_FEATURES, weights=nothing, bias=bias)


def watch(moving: MovingEvidence, people: list[Detection], looks: int = 9) -> Weighed:
    weighed = Weighed(CELLS, EVIDENCE)
    for number in range(looks):
        picture = np.random.default_rng(number).integers(0, 255, (64, 64, 3)).astype(np.uint8)
        moving.see(picture, SHAPE, number * 0.2)
        weighed = weigh(moving, people, number * 0.2)
    return weighed


def weigh(moving: MovingEvidence, people: list[Detection], at: float) -> Weighed:
    moving.meet(people, SHAPE, at)
    return moving.weigh(Weighed(CELLS, EVIDENCE))


def odds(weighed: Weighed, danger: str) -> float:
    return reading.log_odds(weighed.evidence[danger])


def test_a_bundle_without_motion_judges_every_picture_by_itself() -> None:
    moving = MovingEvidence(manifest(msgspec.UNSET))

    assert not moving.follows
    assert weigh(moving, [STANDS], 0.0).evidence == EVIDENCE


@pytest.mark.parametrize("bias", [2.0, -2.0])
def test_movement_adds_its_log_odds_to_its_danger_alone(bias: float) -> None:
    weighed = watch(MovingEvidence(manifest(Motion(flow={"gun": head(bias)}))), [STANDS])

    assert odds(weighed, "gun") == pytest.approx(reading.log_odds(0.3) + bias)
    assert weighed.evidence["fire"] == EVIDENCE["fire"]


def test_where_nobody_is_seen_movement_says_nothing() -> None:
    assert watch(MovingEvidence(manifest(Motion(flow={"gun": head(2.0)}))), []).evidence == EVIDENCE


def test_a_fall_adds_what_the_bundle_says() -> None:
    moving = MovingEvidence(manifest(Motion(falls={"gun": 2.0})))

    weigh(moving, [STANDS], 0.0)
    fell = weigh(moving, [], 1.0)

    assert odds(fell, "gun") == pytest.approx(reading.log_odds(0.3) + 2.0)


def test_a_picture_that_shows_nothing_stays_evidence_of_nothing() -> None:
    moving = MovingEvidence(manifest(Motion(falls={"gun": 2.0})))
    dark = Weighed(CELLS, dict.fromkeys(EVIDENCE, 0.0))

    weigh(moving, [STANDS], 0.0)
    moving.meet([], SHAPE, 1.0)

    assert moving.weigh(dark) == dark
