"""Pictures kept in flat arrays come out as they went in."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.columns import Texts
from trainer.data.dataset import Album, BoxDraft, CaptionDraft
from trainer.data.example import BoxedPicture, Picture

SENTENCES = st.lists(st.text(min_size=1, max_size=6), max_size=5)


def album(*spoken: list[tuple[str, ...]]) -> Album:
    draft = CaptionDraft(str.split)
    rows = [draft.place(Path("images"), f"{number}.jpg", "pets") for number in range(len(spoken))]
    for row, sentences in zip(rows, spoken, strict=True):
        for sentence in sentences:
            draft.say(row, sentence)
    return draft.album()


@given(st.lists(st.text()))
def test_texts_come_out_as_they_went_in(texts: list[str]) -> None:
    column = Texts()
    for text in texts:
        column.append(text)

    assert [column[number] for number in range(len(column))] == texts


def test_a_name_that_is_no_whole_unicode_survives() -> None:
    column = Texts()

    column.append("a\ud800.jpg")

    assert column[0] == "a\ud800.jpg"


@given(st.lists(st.tuples(st.integers(0, 4), SENTENCES), max_size=30))
def test_sentences_find_their_pictures_in_whatever_order_they_come(said: list[tuple[int, list[str]]]) -> None:
    draft = CaptionDraft(str.split)
    for number in range(5):
        draft.place(Path("images"), f"{number}.jpg", "pets", "gun" if number == 3 else "")
    for row, sentence in said:
        draft.say(row, sentence)

    assert list(draft.album()) == [
        Picture(
            Path("images") / f"{number}.jpg",
            tuple(tuple(sentence) for row, sentence in said if row == number),
            "pets",
            "gun" if number == 3 else "",
        )
        for number in range(5)
    ]


def test_boxes_find_their_pictures_in_whatever_order_they_come() -> None:
    draft = BoxDraft()
    seen = frozenset({"gun", "person"})
    first, second = draft.place(Path("a"), "1.jpg", seen), draft.place(Path("b"), "2.jpg", frozenset({"fire"}))
    draft.draw(second, "fire", (0.1, 0.2, 0.3, 0.4))
    draft.draw(first, "gun", (0, 0, 1, 1))
    draft.draw(second, "smoke", (0.5, 0.5, 0.5, 0.5))

    assert list(draft.album()) == [
        BoxedPicture(Path("a/1.jpg"), (("gun", 0, 0, 1, 1),), seen),
        BoxedPicture(
            Path("b/2.jpg"), (("fire", 0.1, 0.2, 0.3, 0.4), ("smoke", 0.5, 0.5, 0.5, 0.5)), frozenset({"fire"})
        ),
    ]
    assert draft.labelled() == {"gun", "person", "fire"}


def test_an_album_is_a_sequence() -> None:
    made = album([("a", "dog")], [], [("a", "cat"), ("it",)])

    assert len(made) == 3
    assert made[-1].path == made.path(2) == Path("images/2.jpg")
    assert [picture.path.name for picture in made[:2]] == ["0.jpg", "1.jpg"]
    assert [path.name for path in made.paths()] == [picture.path.name for picture in made]
    with pytest.raises(IndexError):
        made[3]


def test_some_pictures_of_an_album_are_an_album() -> None:
    made = album([("a",)], [], [("b",)], [("c",)])

    spoken = made.only(made.spoken())
    last = spoken.only(np.array([False, True, True]))

    assert [picture.sentences for picture in spoken] == [(("a",),), (("b",),), (("c",),)]
    assert [picture.sentences for picture in last] == [(("b",),), (("c",),)]
    assert last.spoken().all()


def test_words_are_kept_once() -> None:
    first, second = album([("a", "dog")], [("a", "dog")])

    assert first.sentences[0][1] is second.sentences[0][1]


def test_nothing_makes_an_empty_album() -> None:
    assert list(album()) == []
    assert list(BoxDraft().album()) == []
