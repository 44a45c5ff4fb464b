"""Korean sentences cut into words of a vocabulary, and joined again without an analyser."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import korean, vocabulary
from trainer import tokenizers
from trainer.metrics import tokenize
from trainer.tokenizers import surface

SENTENCES = (Path(__file__).parent / "korean" / "sentences.txt").read_text(encoding="utf-8").splitlines()

Split = Callable[[str], tuple[str, ...]]

syllable = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
eojeol = st.text(syllable | st.sampled_from("은는이가을를과와로의에서도만고다하며"), min_size=1, max_size=6)


@pytest.fixture(scope="module", params=["kiwi", pytest.param("okt", marks=pytest.mark.slow)])
def split(request: pytest.FixtureRequest) -> Split:
    try:
        return tokenizers.splitter("ko", request.param)
    except tokenizers.AnalyserMissing as missing:
        pytest.skip(str(missing))


def test_sentences_come_back_letter_by_letter(split: Split) -> None:
    back = [vocabulary.text(split(sentence), "ko") for sentence in SENTENCES]

    assert len(set(SENTENCES)) >= 300
    assert back == SENTENCES


@given(st.lists(eojeol, min_size=1, max_size=5).map(" ".join))
def test_anything_in_hangul_comes_back_even_where_it_makes_no_sense(sentence: str) -> None:
    assert vocabulary.text(tokenizers.splitter("ko")(sentence), "ko") == sentence


@given(st.text(max_size=30))
def test_any_text_keeps_its_letters_and_digits_in_order(text: str) -> None:
    joined = vocabulary.text(tokenizers.splitter("ko")(text), "ko")

    assert [sign for sign in joined if sign.isalnum()] == [
        sign for sign in unicodedata.normalize("NFC", text) if sign.isalnum()
    ]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        pytest.param("한 남자가 총을 들고 있다", "한 남자 +이/가 총 +을/를 들 +고 있 +다", id="particles are folded"),
        pytest.param("검은 옷을 입은 개는", "검 +은 옷 +을/를 입 +은 개 +은/는", id="endings are not"),
        pytest.param("사람이 쓰러졌다", "사람 +이/가 쓰러졌 +다", id="a contraction stays together"),
        pytest.param("싸우는 사람과 싸운다", "싸우 +는 사람 +과/와 싸운다", id="so does one across an ending"),
        pytest.param("난 널 봤다", "난 널 봤 +다", id="and a contracted particle"),
        pytest.param("'정지'라고 적혀 있다.", "정지 +이라고/라고 적혀 있 +다", id="signs are dropped"),
        pytest.param("3.5 km의 길", "3.5 km +의 길", id="but not inside a number"),
        pytest.param("TV를 3명이 본다", "TV +을/를 3 +명 +이/가 본다", id="letters and digits"),
        pytest.param("🔥불이 났다", "불 +이/가 났 +다", id="beyond the basic plane"),
        pytest.param(unicodedata.normalize("NFD", "칼로 벤다"), "칼 +으로/로 벤다", id="decomposed syllables"),
        pytest.param(" ... ", "", id="nothing but signs"),
    ],
)
def test_kiwi_cuts_where_korean_can_be_joined_again(sentence: str, expected: str) -> None:
    assert tokenizers.splitter("ko")(sentence) == tuple(expected.split())


def test_every_folded_particle_has_a_shape_for_either_sound() -> None:
    for closed, open_ in surface.PAIRS:
        pair = korean.JOINER + korean.SHAPES.join((closed, open_))

        assert korean.join(["문", pair]) == f"문{closed}"
        assert korean.join(["차", pair]) == f"차{open_}"


def test_a_misspelt_particle_stays_as_it_was_written() -> None:
    split = tokenizers.splitter("ko")

    assert vocabulary.text(split("남자이 칼를 든다"), "ko") == "남자이 칼를 든다"


def test_the_metrics_count_whole_morphemes() -> None:
    assert tokenizers.tokenizer("ko")("사람이 쓰러졌다.") == ("사람", "이", "쓰러지", "었", "다")


def test_english_stays_as_it_was() -> None:
    sentence = "A man's dog isn't on the +5 and/or well-lit court."

    assert tokenizers.splitter("en")(sentence) == tokenizers.tokenizer("en")(sentence) == tuple(tokenize(sentence))
