"""The trainer finds the same consensus as the device."""

import math

from hypothesis import given
from hypothesis import strategies as st

from edge.infer import consensus as on_device
from trainer import consensus

BEAMS = st.lists(
    st.tuples(st.lists(st.integers(4, 8), min_size=1, max_size=7), st.floats(-30, 0)), min_size=1, max_size=6
)


@given(BEAMS, st.floats(0.5, 10))
def test_both_find_the_same_sentence(beam: list[tuple[list[int], float]], temperature: float) -> None:
    sentences, totals = [one for one, _ in beam], [total for _, total in beam]

    ours = consensus.agreed(sentences, totals, temperature)

    theirs = on_device.order(sentences, totals, temperature)[0]
    worth = [agreement(sentences, totals, temperature, at) for at in (ours, theirs)]
    assert abs(worth[0] - worth[1]) < 1e-9


def agreement(sentences: list[list[int]], totals: list[float], temperature: float, at: int) -> float:
    """Say how far all agree with one sentence, by the device's likeness: its place may differ where two are alike."""
    top = max(totals)
    counted = [on_device._count(sentence) for sentence in sentences]
    return math.fsum(
        math.exp((total - top) / temperature)
        * on_device.alike(counted[at], counted[other], len(sentences[at]) - len(sentences[other]))
        for other, total in enumerate(totals)
    )


def test_an_odd_one_out_is_not_said() -> None:
    assert consensus.agreed([(10, 11), (4, 5, 6), (4, 5, 7)], [-1.0, -1.1, -1.2], 4.0) == 1
