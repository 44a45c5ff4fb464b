"""How much evidence each danger needs."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.data.example import CaptionExample
from trainer.training import thresholds

DANGERS = ["gun", "fight", "knife"]


def examples(*labels: str) -> list[CaptionExample]:
    return [CaptionExample(Path("a.jpg"), (), "set", label) for label in labels]


def test_dangers_that_stand_out_get_a_limit_between_the_true_and_the_false() -> None:
    shown = examples(*["none"] * 10, *["gun"] * 3, *["fight"] * 2, "knife")
    found = np.array(
        [[0.3, 0.4, 0.1]] * 10 + [[0.9, 0.1, 0.1]] * 3 + [[0.1, 0.8, 0.1]] * 2 + [[0.1, 0.1, 0.9]], np.float32
    )

    chosen = thresholds.choose(found, shown, DANGERS, 0.02)

    assert chosen == {"gun": 0.6, "fight": 0.6, "knife": 0.1}


def test_the_few_false_alarms_are_spent_where_they_win_most() -> None:
    shown = examples(*["none"] * 100, *["gun"] * 10, *["fight"] * 10)
    found = np.zeros((120, 3), np.float32)
    found[0] = (0.7, 0.0, 0.0)  # worth ten guns
    found[1:31] = (0.0, 0.8, 0.0)  # thirty false alarms for ten fights
    found[100:110, 0], found[110:, 1] = 0.6, 0.7

    chosen = thresholds.choose(found, shown, DANGERS, 0.02)

    assert chosen["gun"] < 0.6
    assert chosen["fight"] > 0.8


@pytest.mark.parametrize("level", [0.0, 0.05], ids=["never seen", "hardly seen"])
def test_what_is_never_sure_gets_the_highest_limit(level: float) -> None:
    shown = examples(*["none"] * 5, "gun")

    assert thresholds.choose(np.full((6, 3), level, np.float32), shown, DANGERS, 0.02)["gun"] == thresholds.MOST


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.sampled_from([0.02, 0.1, 0.5]))
def test_all_dangers_together_stay_within_the_share(seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    shown = examples(*["none"] * 50, *[""] * 80, *["gun"] * 10, *["fight"] * 10)
    found = random.uniform(0, 0.94, (150, 3)).astype(np.float32)

    chosen = thresholds.choose(found, shown, DANGERS, share)

    alarmed = np.asarray((found[:, :2] >= [chosen["gun"], chosen["fight"]]).any(1))
    assert alarmed[:50].mean() <= share
    assert alarmed[50:130].mean() <= thresholds.CALM_PART * share


@pytest.mark.parametrize(("everyday", "found"), [(1e-5, True), (0.02, False)])
def test_a_rare_danger_may_have_a_low_limit_where_no_everyday_image_comes_near(everyday: float, found: bool) -> None:
    labels = ["fallen"] * 3 + ["none"] * 100 + [""] * 100
    evidence = np.array([[0.05], [0.06], [0.9]] + [[0.001]] * 100 + [[everyday]] * 100, np.float32)

    chosen = thresholds.choose(
        evidence, [CaptionExample(Path("a"), (), "", label) for label in labels], ["fallen"], 0.02
    )

    assert (chosen["fallen"] <= 0.05) == found
    assert chosen["fallen"] <= 0.9
