"""Korean tokens become a sentence without a morphological analyser: spacing and the shapes of particles."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import korean, vocabulary

SUBJECT, TOPIC, OBJECT, AND, TOWARDS = "+이/가", "+은/는", "+을/를", "+과/와", "+으로/로"


@pytest.mark.parametrize(
    ("tokens", "sentence"),
    [
        pytest.param(
            ["한", "남자", SUBJECT, "총", OBJECT, "들", "+고", "있", "+다"], "한 남자가 총을 들고 있다", id="whole"
        ),
        pytest.param(["사람", SUBJECT], "사람이", id="subject after a final"),
        pytest.param(["개", SUBJECT], "개가", id="subject after a vowel"),
        pytest.param(["여성", TOPIC], "여성은", id="topic after a final"),
        pytest.param(["여자", TOPIC], "여자는", id="topic after a vowel"),
        pytest.param(["칼", OBJECT], "칼을", id="object after a final"),
        pytest.param(["사과", OBJECT], "사과를", id="object after a vowel"),
        pytest.param(["불", AND, "연기"], "불과 연기", id="and after a final"),
        pytest.param(["개", AND, "고양이"], "개와 고양이", id="and after a vowel"),
        pytest.param(["손", TOWARDS], "손으로", id="towards after a final"),
        pytest.param(["칼", TOWARDS], "칼로", id="towards after rieul"),
        pytest.param(["차", TOWARDS], "차로", id="towards after a vowel"),
        pytest.param(["칼", "+이나/나"], "칼이나", id="rieul is a final for all others"),
        pytest.param(["동생", "+들", TOPIC], "동생들은", id="after what was attached"),
        pytest.param(["TV", OBJECT], "TV를", id="after a letter read as a vowel"),
        pytest.param(["KTX", "12", TOWARDS], "KTX 12로", id="after a digit read with a vowel"),
        pytest.param(["7", TOWARDS], "7로", id="after a digit that ends in rieul"),
        pytest.param(["3", SUBJECT], "3이", id="after a digit that ends in a consonant"),
        pytest.param(["FILM", OBJECT], "FILM을", id="after a letter read with a final"),
        pytest.param([OBJECT, "보", "+다"], "를 보다", id="nothing before"),
        pytest.param([], "", id="nothing at all"),
        pytest.param(["+", "1/2"], "+ 1/2", id="signs are no marks"),
    ],
)
def test_tokens_join_to_what_a_korean_writes(tokens: list[str], sentence: str) -> None:
    assert korean.join(tokens) == sentence


@given(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3))
def test_a_syllable_is_followed_by_the_shape_that_its_decomposition_asks_for(syllable: str) -> None:
    closed = len(unicodedata.normalize("NFD", syllable)) == 3

    assert korean.join([syllable, OBJECT]) == syllable + ("을" if closed else "를")
    decomposed = unicodedata.normalize("NFD", syllable)
    assert korean.join([decomposed, OBJECT]) == decomposed + ("을" if closed else "를")


@given(st.lists(st.text(max_size=6), max_size=12))
def test_any_tokens_join_to_something(tokens: list[str]) -> None:
    joined = korean.join(tokens)

    assert len(joined) <= sum(len(token) + 1 for token in tokens)


def test_other_languages_keep_their_spaces_and_signs() -> None:
    words = ["a", "+b", "and/or", "+c/d"]

    assert vocabulary.text(words, "en") == "a +b and/or +c/d"
    assert vocabulary.text(["불", "+이/가"], "ko") == "불이"
