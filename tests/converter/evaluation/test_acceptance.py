"""Which bundles are good enough."""

import pytest

from converter.config import Limits
from converter.evaluation import acceptance
from converter.evaluation.parity import Report

AGREEMENT = {"pictures": 10, "equal_tokens": 0.9, "equal_captions": 0.8, "cosine_cells": 0.99}


def missed(report: Report, limits: Limits = Limits(), size: int = 1_000_000) -> list[str]:  # noqa: B008  # frozen
    return [check.name for check in acceptance.judge(report, size, limits) if not check.kept]


def test_a_near_copy_keeps_every_limit() -> None:
    scores = {"bleu_4": 0.2, "cider": 0.5, "person_ap50": 0.4}

    assert missed(Report(scores, scores, AGREEMENT)) == []


@pytest.mark.parametrize(
    ("float32", "int8", "name"),
    [
        pytest.param({"bleu_4": 0.200}, {"bleu_4": 0.193}, "loss of bleu_4", id="BLEU-4"),
        pytest.param({"cider": 0.500}, {"cider": 0.489}, "loss of cider", id="CIDEr"),
        pytest.param({"gun_ap50": 0.400}, {"gun_ap50": 0.379}, "loss of gun_ap50", id="boxes"),
    ],
)
def test_a_loss_beyond_its_limit_is_missed(float32: dict[str, float], int8: dict[str, float], name: str) -> None:
    assert missed(Report(float32, int8, AGREEMENT)) == [name]


def test_a_gain_is_no_loss() -> None:
    assert missed(Report({"cider": 0.5, "bleu_4": 0.0}, {"cider": 0.6, "bleu_4": 0.0}, AGREEMENT)) == []


def test_agreement_and_size_have_limits_of_their_own() -> None:
    far = {"pictures": 10, "equal_tokens": 0.1, "equal_captions": 0.1, "cosine_cells": 0.5}

    names = missed(Report({}, {}, far), size=13_000_000)

    assert names == ["cosine of cells", "equal tokens", "equal captions", "megabytes"]


def test_a_limit_itself_is_kept() -> None:
    assert missed(Report({}, {}, AGREEMENT), Limits(cosine=0.99, equal_tokens=0.9, megabytes=1.0)) == []
