"""How the phrases of a rule find their words."""

import unicodedata

import pytest

from broker.rules import phrase
from broker.rules import sentence as sentences
from broker.rules.sentence import Span

LISTS = {"person": ["person", "man"]}


def spans(text: str, sentence: str) -> list[Span]:
    return list(phrase.compile(text, LISTS).spans(sentences.read(sentence)))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gun", "two guns"),
        ("knife", "knives on a table"),
        ("fight", "they fought"),
        ("hold gun", "holding a gun"),
        ("hold gun", "a man is holding his guns"),
        ("=smoke", "thick smoke"),
        ("wave|swing knife", "swings a knife"),
        ("<person> fall", "two men are falling"),
        ("cut ... knife", "cuts the very large cake with a knife"),
        ("knife wield", "a knife-wielding man"),
        ("gun", "a Gun."),
        ("man gun", "the man’s gun"),
        ("lie on floor", "laying on the floor"),
        ("총", unicodedata.normalize("NFD", "총 을 든 남자")),
        (unicodedata.normalize("NFD", "총"), "총 을 든 남자"),
        (unicodedata.normalize("NFD", "café <person>"), unicodedata.normalize("NFC", "a café man")),
    ],
)
def test_a_phrase_is_found(text: str, sentence: str) -> None:
    assert spans(text, sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gun", "the sun has begun"),
        ("gun", "a burgundy train"),
        ("hold gun", "holding a water gun"),
        ("=smoke", "a man is smoking"),
        ("<person> fall", "a dog is falling"),
        ("cut ... knife", "cuts a cake, beside it a knife"),
        ("cut ... knife", "cuts one two three four five knife"),
        ("gun", ""),
    ],
)
def test_a_phrase_is_not_found(text: str, sentence: str) -> None:
    assert spans(text, sentence) == []


def test_a_span_counts_words_without_small_ones() -> None:
    assert spans("fire hydrant", "the dog is at a fire hydrant") == [Span(2, 4)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "needs a word"),
        ("the", "needs a word"),
        ("... gun", "needs a word"),
        ("gun ...", "needs a word"),
        ("<weapon>", "no list <weapon>; lists here: person"),
        ("gun?", "no word"),
        ("a|", "no word"),
    ],
)
def test_a_phrase_that_cannot_be_meant_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        phrase.compile(text, LISTS)
