"""Images kept in flat arrays come out as they went in."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.columns import StringColumn
from trainer.data.dataset import BoxDatasetBuilder, CaptionDataset, CaptionDatasetBuilder
from trainer.data.example import BoxExample, CaptionExample

SENTENCES = st.lists(st.text(min_size=1, max_size=6), max_size=5)


def dataset(*spoken: list[tuple[str, ...]]) -> CaptionDataset:
    builder = CaptionDatasetBuilder(str.split)
    rows = [builder.add_image(Path("images"), f"{number}.jpg", "pets") for number in range(len(spoken))]
    for row, sentences in zip(rows, spoken, strict=True):
        for sentence in sentences:
            builder.add_caption(row, sentence)
    return builder.build()


@given(st.lists(st.text()))
def test_texts_come_out_as_they_went_in(texts: list[str]) -> None:
    column = StringColumn()
    for text in texts:
        column.append(text)

    assert [column[number] for number in range(len(column))] == texts


def test_a_name_that_is_no_whole_unicode_survives() -> None:
    column = StringColumn()

    column.append("a\ud800.jpg")

    assert column[0] == "a\ud800.jpg"


@given(st.lists(st.tuples(st.integers(0, 4), SENTENCES), max_size=30))
def test_sentences_find_their_images_in_whatever_order_they_come(said: list[tuple[int, list[str]]]) -> None:
    builder = CaptionDatasetBuilder(str.split)
    for number in range(5):
        builder.add_image(Path("images"), f"{number}.jpg", "pets", "gun" if number == 3 else "")
    for row, sentence in said:
        builder.add_caption(row, sentence)

    assert list(builder.build()) == [
        CaptionExample(
            Path("images") / f"{number}.jpg",
            tuple(tuple(sentence) for row, sentence in said if row == number),
            "pets",
            "gun" if number == 3 else "",
        )
        for number in range(5)
    ]


def test_boxes_find_their_images_in_whatever_order_they_come() -> None:
    builder = BoxDatasetBuilder()
    seen = frozenset({"gun", "person"})
    first, second = (
        builder.add_image(Path("a"), "1.jpg", seen),
        builder.add_image(Path("b"), "2.jpg", frozenset({"fire"})),
    )
    builder.add_box(second, "fire", (0.1, 0.2, 0.3, 0.4))
    builder.add_box(first, "gun", (0, 0, 1, 1))
    builder.add_box(second, "smoke", (0.5, 0.5, 0.5, 0.5))

    assert list(builder.build()) == [
        BoxExample(Path("a/1.jpg"), (("gun", 0, 0, 1, 1),), seen),
        BoxExample(Path("b/2.jpg"), (("fire", 0.1, 0.2, 0.3, 0.4), ("smoke", 0.5, 0.5, 0.5, 0.5)), frozenset({"fire"})),
    ]
    assert builder.labelled() == {"gun", "person", "fire"}


def test_a_dataset_is_a_sequence() -> None:
    made = dataset([("a", "dog")], [], [("a", "cat"), ("it",)])

    assert len(made) == 3
    assert made[-1].path == made.path(2) == Path("images/2.jpg")
    assert [example.path.name for example in made[:2]] == ["0.jpg", "1.jpg"]
    assert [path.name for path in made.paths()] == [example.path.name for example in made]
    with pytest.raises(IndexError):
        made[3]


def test_some_images_of_a_dataset_are_a_dataset() -> None:
    made = dataset([("a",)], [], [("b",)], [("c",)])

    spoken = made.select(made.captioned())
    last = spoken.select(np.array([False, True, True]))

    assert [example.sentences for example in spoken] == [(("a",),), (("b",),), (("c",),)]
    assert [example.sentences for example in last] == [(("b",),), (("c",),)]
    assert last.captioned().all()


def test_words_are_kept_once() -> None:
    first, second = dataset([("a", "dog")], [("a", "dog")])

    assert first.sentences[0][1] is second.sentences[0][1]


def test_nothing_makes_an_empty_dataset() -> None:
    assert list(dataset()) == []
    assert list(BoxDatasetBuilder().build()) == []
