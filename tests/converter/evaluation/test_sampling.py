"""Which pictures are looked at."""

from pathlib import Path

import pytest

from converter.errors import Unusable
from converter.evaluation import sampling


def test_the_same_seed_draws_the_same_pictures_in_their_order() -> None:
    numbers = list(range(100))

    drawn = sampling.draw(numbers, 10, seed=3)

    assert drawn == sampling.draw(numbers, 10, seed=3) == sorted(drawn)
    assert len(set(drawn)) == 10
    assert drawn != sampling.draw(numbers, 10, seed=4)


def test_fewer_than_wanted_are_all_taken() -> None:
    assert sampling.draw([3, 1, 2], 10, seed=0) == [3, 1, 2]


def test_a_folder_gives_its_pictures_and_those_below(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.JPG", "a.png", "deep/c.webp", "notes.txt"):
        (tmp_path / name).touch()

    assert [path.name for path in sampling.inside(tmp_path)] == ["a.png", "b.JPG", "c.webp"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="gone: no such folder"):
        sampling.inside(tmp_path / "gone")


def test_many_missing_pictures_are_counted_and_a_few_named(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"8 of 8 pictures are missing: .*0\.png.*4\.png, …$"):
        sampling.listed([f"{number}.png" for number in range(8)], tmp_path)
