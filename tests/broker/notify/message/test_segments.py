"""Parts of a text message, and where a sentence is cut."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from broker.notify.message import segments


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("[" * 80, 1),
        ("[" * 80 + "a", 2),
        # An escape pair never straddles two parts: 76 pairs and one free septet a part.
        ("[" * 153, 3),
        ("가" * 70, 1),
        ("가" * 71, 2),
        ("가" * 134, 2),
        ("가" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        # A surrogate pair never straddles two parts: 33 pairs and one free unit a part.
        ("😀" * 66, 2),
        ("😀" * 67, 3),
        ("é" * 160, 1),
        ("ê" * 71, 2),
    ],
    ids=lambda value: f"{value[:1]}x{len(value)}" if isinstance(value, str) else None,
)
def test_parts_are_counted_as_gateways_do(text: str, parts: int) -> None:
    assert segments.parts(text) == parts


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("it’s “here” – now…", 'it\'s "here" - now...'),
        ("a\u202egun\u202c", "agun"),
        ("zero\u200bwidth", "zerowidth"),
        ("line\nbreak", "linebreak"),
        ("가", "가"),
        ("👩\u200d🚒", "👩\u200d🚒"),
    ],
)
def test_a_text_is_made_plain(text: str, plain: str) -> None:
    assert segments.plain(text) == plain


def test_a_sentence_is_cut_between_words() -> None:
    cut = segments.shorten("a man is holding a gun", lambda text: len(text) <= 16, mark="...")

    assert cut == "a man is..."


def test_one_long_word_is_cut_between_characters() -> None:
    assert segments.shorten("화재" * 10, lambda text: len(text) <= 5, mark="…") == "화재화재…"


@pytest.mark.parametrize("cluster", ["👩\u200d🚒", "👍🏽", "e\u0301"], ids=["joined", "skin", "accent"])
def test_a_cut_never_parts_what_people_see_as_one_character(cluster: str) -> None:
    cut = segments.shorten(cluster * 5, lambda text: len(text) <= len(cluster) * 2 + 2, mark="…")

    assert cut is not None
    assert cut.removesuffix("…") in (cluster, cluster * 2)


def test_where_nothing_fits_there_is_no_cut() -> None:
    assert segments.shorten("a man", lambda text: False, mark="…") is None


CLUSTERS = st.lists(
    st.sampled_from(["가", "총", "a", " ", "é", "e\u0301", "👩\u200d🚒", "👍🏽", "🇰🇷", "각", "각", "€"]),
    min_size=1,
    max_size=60,
)


@given(CLUSTERS, st.integers(2, 80))
def test_a_cut_keeps_whole_characters_as_people_see_them(clusters: list[str], room: int) -> None:
    sentence = segments.plain("".join(clusters))
    whole = regex.findall(r"\X", sentence)

    cut = segments.shorten(sentence, lambda said: len(said) <= room, mark="…")

    if cut is not None:
        kept = regex.findall(r"\X", cut.removesuffix("…"))
        assert kept == whole[: len(kept)]


@given(st.text(max_size=300))
def test_a_harmless_text_has_no_address_in_it(text: str) -> None:
    harmless = segments.harmless(text)

    assert "://" not in harmless.replace(":// ", "")
    assert segments.harmless(harmless) == harmless


@given(st.text(max_size=400))
def test_a_longer_text_never_has_fewer_parts(text: str) -> None:
    assert 1 <= segments.parts(segments.plain(text)) <= segments.parts(segments.plain(text) + "가")


@given(st.text(min_size=1, max_size=100), st.integers(1, 70))
def test_a_cut_text_fits_and_can_be_encoded(text: str, room: int) -> None:
    sentence = segments.plain(text)
    cut = segments.shorten(sentence, lambda said: len(said) <= room, mark="…") if sentence else None

    assert cut is None or (len(cut) <= room and cut.encode("utf-16"))


def test_the_words_to_keep_go_last() -> None:
    sentence = "an old man runs down the stairs with a gun in his hand"

    def cut(room: int) -> str | None:
        return segments.shorten(sentence, lambda said: len(said) <= room, mark="...", keep="gun")

    assert cut(46) == "an old man runs down the stairs with a gun..."
    assert cut(30) == "...the stairs with a gun..."
    assert cut(6) is None
