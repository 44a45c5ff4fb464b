"""The trainer finds the same consensus as the device."""

from hypothesis import given
from hypothesis import strategies as st

from edge.infer import minimum_bayes_risk as on_device
from trainer.models import consensus

BEAMS = st.lists(
    st.tuples(st.lists(st.integers(4, 8), min_size=1, max_size=7), st.floats(-30, 0)), min_size=1, max_size=6
)


@given(BEAMS, st.floats(0.5, 10))
def test_both_find_the_same_sentence(beam: list[tuple[list[int], float]], temperature: float) -> None:
    sentences, totals = [one for one, _ in beam], [total for _, total in beam]

    ours = consensus.agreed(sentences, totals, temperature)

    agreed = on_device.agreement(sentences, totals, temperature)
    assert agreed[ours] >= max(agreed) - 1e-9  # two that are alike may change places


def test_an_odd_one_out_is_not_said() -> None:
    assert consensus.agreed([(10, 11), (4, 5, 6), (4, 5, 7)], [-1.0, -1.1, -1.2], 4.0) == 1
