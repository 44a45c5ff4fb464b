"""Evidence of dangers: what it learns from, and where its limits come to lie."""

from pathlib import Path

import numpy as np
import pytest

from trainer import evidence
from trainer.pictures import Picture

TERMS = {"gun": ("gun",), "fire": ("fire", "on flames")}


def picture(label: str, *sentences: str) -> Picture:
    return Picture(Path("x.jpg"), tuple(tuple(sentence.split()) for sentence in sentences), "set", label)


def test_a_labelled_scene_shows_its_label_and_nothing_else() -> None:
    truth, known = evidence.targets([picture("fire"), picture("none")], TERMS)

    assert truth.tolist() == [[0, 1], [0, 0]]
    assert known.all()


def test_a_danger_that_people_wrote_of_is_neither_there_nor_not_there() -> None:
    _, known = evidence.targets([picture("", "a house on flames", "a gunman"), picture("", "a dog")], TERMS)

    assert known.tolist() == [[1, 0], [1, 1]]


def test_the_limit_lets_no_more_than_the_share_of_peaceful_pictures_pass() -> None:
    random = np.random.default_rng(1)
    pictures = [picture("none") for _ in range(300)] + [picture("", "a dog") for _ in range(700)]
    found = random.random((1000, 2)).astype(np.float32)

    limits = evidence.choose_limits(found, pictures, list(TERMS), 0.1)

    for column, limit in enumerate(limits.values()):
        assert (found[:300, column] >= limit).mean() <= 0.1 + 1 / 300
        assert (found[300:, column] >= limit).mean() <= 0.1 + 1 / 300


def test_dangerous_scenes_do_not_move_a_limit() -> None:
    calm = [picture("none") for _ in range(100)]
    found = np.linspace(0, 0.8, 100, dtype=np.float32)[:, None]

    alone = evidence.choose_limits(found, calm, ["gun"], 0.05)
    with_guns = evidence.choose_limits(
        np.concatenate([found, np.ones((50, 1), np.float32)]), [*calm, *[picture("gun")] * 50], ["gun"], 0.05
    )

    assert alone == with_guns
    assert alone["gun"] == pytest.approx(0.76, abs=0.01)


def test_pooling_gives_the_mean_and_then_the_maximum_over_the_cells() -> None:
    cells = np.array([[[1, 2], [3, 0]]], np.float16)

    assert evidence.pool(cells).tolist() == [[2, 1, 3, 2]]
