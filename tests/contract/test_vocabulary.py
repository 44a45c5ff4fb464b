"""The vocabulary: words by id and ids by word, and the file that holds them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import vocabulary as vocab
from contract.errors import Refused
from contract.vocabulary import END, SPECIALS, START, UNKNOWN
from tests.contract.refusals import reason

words = st.lists(st.from_regex(r"[^\s<>]{1,12}", fullmatch=True), unique=True, max_size=20)


@given(words, st.data())
def test_known_words_survive_encoding(known: list[str], data: st.DataObject) -> None:
    said = data.draw(st.lists(st.sampled_from(known), max_size=10)) if known else []
    vocabulary = vocab.of(known)

    assert vocabulary.decode(vocabulary.encode(said)[1:]) == said


def test_a_sentence_stands_between_start_and_end() -> None:
    assert vocab.of(["a", "dog"]).encode(["a", "cat"]) == [START, 4, UNKNOWN, END]


def test_what_follows_the_end_is_not_said() -> None:
    assert vocab.of(["a", "dog"]).decode([4, 5, END, 4]) == ["a", "dog"]


def test_a_word_that_stands_twice_is_named() -> None:
    with pytest.raises(Refused, match="the word 'dog' stands twice"):
        vocab.of(["dog", "a", "dog"])


def test_a_vocabulary_without_its_specials_is_refused() -> None:
    with pytest.raises(Refused, match="begins with the lines <pad> <start> <end> <unk>"):
        vocab.Vocabulary(("a", "dog"))


@given(known=words)
def test_a_file_that_was_written_is_read_back(known: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("vocabulary") / "vocabulary.txt"
    path.write_text(vocab.dump(vocab.of(known)), encoding="utf-8")

    assert vocab.load(path) == vocab.of(known)


@given(data=st.binary(max_size=60))
def test_any_file_is_read_or_refused(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("vocabulary") / "vocabulary.txt"
    path.write_bytes("\n".join(SPECIALS).encode() + b"\n" + data)

    assert reason(lambda: vocab.load(path)) in {None, "not-utf8", "schema"}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"missing-file: .*vocabulary\.txt"):
        vocab.load(tmp_path / "vocabulary.txt")


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "vocabulary.txt").write_bytes("\n".join([*SPECIALS, "사과"]).encode("euc-kr"))

    with pytest.raises(Refused, match=r"not-utf8: .*vocabulary\.txt: byte 26"):
        vocab.load(tmp_path / "vocabulary.txt")
