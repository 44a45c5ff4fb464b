"""How agreement is measured."""

import numpy as np
import pytest

from converter.evaluation import parity


@pytest.mark.parametrize(
    ("pairs", "share"),
    [
        pytest.param([([5, 6, 2], [5, 6, 2])], 1.0, id="equal"),
        pytest.param([([5, 6, 2], [5, 7, 2])], 2 / 3, id="one word differs"),
        pytest.param([([5, 6, 7, 2], [5, 2])], 1 / 4, id="the longer one counts"),
        pytest.param([([5, 2], [5, 2]), ([8, 2], [9, 3])], 1 / 2, id="over all pictures"),
        pytest.param([], 1.0, id="nothing to differ on"),
    ],
)
def test_tokens_are_compared_place_by_place(pairs: list[tuple[list[int], list[int]]], share: float) -> None:
    assert parity.equal_tokens(pairs) == pytest.approx(share)


def test_cosine_is_taken_tensor_by_tensor() -> None:
    ours = {"a": np.array([[1, 0]], np.float32), "b": np.array([1, 1], np.float32)}
    theirs = {"a": np.array([[0, 1]], np.float32), "b": np.array([2, 2], np.float32)}

    assert parity.cosine_by_name(ours, theirs) == pytest.approx({"a": 0.0, "b": 1.0})


def test_two_empty_tensors_agree_and_one_alone_does_not() -> None:
    nothing, something = np.zeros(3, np.float32), np.ones(3, np.float32)

    assert parity.cosine_by_name({"a": nothing}, {"a": nothing}) == {"a": 1.0}
    assert parity.cosine_by_name({"a": nothing}, {"a": something}) == {"a": 0.0}
