"""Words of race, ethnicity, origin and belief: no sentence may hold one.

Korean law counts race and ethnic origin as sensitive data (Personal Information Protection Act, article 23, and its
Enforcement Decree, article 18); a guess about them from a picture helps no guard. A nationality says the same, so a
German shepherd is a dog. Colours of clothes may be said; the colour of a person may not.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

_ENGLISH: Final = (
    "african african-american african-americans africans afro afro-american albino aboriginal amerindian american "
    "americans arab arabian arabic arabs asian asian-american asians asiatic australian black-skinned blacks brazilian "
    "british brown-skinned buddhist canadian caucasian caucasians chinese christian "
    "dark-complexioned dark-skinned dutch eastern egyptian englishman eskimo ethnic ethnicity european europeans "
    "fair-skinned filipino foreign foreigner foreigners french german greek gypsy hawaiian hindu hispanic hispanics "
    "immigrant immigrants indian indians indigenous irish islamic israeli italian jamaican japanese jew jewish jews "
    "korean latin latina latino latinos light-skinned mexican mexicans middle-eastern migrant migrants mixed-race "
    "mongolian moroccan muslim muslims native natives negro nigerian oriental orientals pakistani pale-skinned "
    "polynesian puerto-rican racial refugee refugees religious russian scottish sikh skinned spanish "
    "swedish tan-skinned thai tibetan tribal tribe turkish vietnamese western westerner westerners whites "
    "white-skinned"
)
ENGLISH: Final = frozenset(_ENGLISH.split())
"""English words that are never said."""

KOREAN: Final = (
    *(
        "흑인",
        "백인",
        "황인",
        "동양인",
        "서양인",
        "유색인",
        "혼혈",
        "인종",
        "민족",
        "외국인",
        "이민자",
        "난민",
        "원주민",
    ),
    *(
        "아시아",
        "아프리카",
        "유럽인",
        "아랍",
        "중동인",
        "라틴",
        "한국인",
        "중국인",
        "일본인",
        "미국인",
        "인도인",
        "동남아",
    ),
    *("무슬림", "이슬람", "유대인", "기독교", "힌두", "불교도", "조선족", "고려인", "탈북"),
)
"""Parts of Korean words that are never said."""

COLOURS: Final = ("black", "white", "brown", "yellow", "red", "tan", "tanned", "dark", "pale", "coloured", "colored")
"""Colours that are never said straight before a person."""

PEOPLE: Final = (
    *("man", "men", "woman", "women", "boy", "boys", "girl", "girls", "child", "children", "kid", "kids", "baby"),
    *("babies", "toddler", "toddlers", "infant", "lady", "ladies", "guy", "guys", "person", "people", "male", "males"),
    *(
        "female",
        "females",
        "couple",
        "family",
        "teenager",
        "teenagers",
        "adult",
        "adults",
        "youth",
        "player",
        "players",
    ),
    *("skin", "skinned", "folk", "folks", "gentleman", "gentlemen", "mother", "father", "individual"),
)
"""Words for people, before which no such colour is said."""


def is_sensitive(word: str) -> bool:
    """Say whether a word may stand in no sentence; words are lower-case."""
    return word in ENGLISH or any(part in word for part in KOREAN)


def runs(ids: Mapping[str, int]) -> list[tuple[int, ...]]:
    """Return the words, and the colours of people, that a vocabulary holds and that no sentence may, as token ids."""
    words = [(number,) for word, number in ids.items() if is_sensitive(word)]
    return words + [
        (ids[colour], ids[person]) for colour in COLOURS for person in PEOPLE if colour in ids and person in ids
    ]


def found(words: Iterable[str]) -> list[str]:
    """Return what a sentence holds that it may not: words, and colours of people as two words."""
    said = list(words)
    return [word for word in said if is_sensitive(word)] + [
        f"{first} {second}" for first, second in pairwise(said) if first in COLOURS and second in PEOPLE
    ]
