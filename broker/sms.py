"""Counts the parts of a text message and cuts sentences, by the rules of GSM 03.38 and 23.040."""

import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

GSM_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""One septet each."""

GSM_EXTENDED: Final = frozenset("^{}\\[~]|€")
"""Two septets each: an escape and a sign, never parted."""

GSM_ALONE, GSM_JOINED = 160, 153
"""Septets in a message of one part, and in each of several (6 bytes go to the header that joins them)."""

UCS2_ALONE, UCS2_JOINED = 70, 67
"""16-bit units in a message of one part, and in each of several."""

_TYPOGRAPHIC: Final = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " "}
)
"""Signs that would turn 160 characters into 70 for nothing."""

_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs"})
"""Unicode categories: control, format, surrogate."""


def plain(text: str) -> str:
    """Compose characters, make typographic signs plain and drop invisible ones (direction marks could hide words)."""
    composed = unicodedata.normalize("NFC", text).translate(_TYPOGRAPHIC)
    return "".join(sign for sign in composed if sign == "\u200d" or unicodedata.category(sign) not in _INVISIBLE)


def is_gsm(text: str) -> bool:
    """Say whether a text can be sent in the 7-bit alphabet."""
    return all(sign in GSM_BASIC or sign in GSM_EXTENDED for sign in text)


def parts(text: str) -> int:
    """Count the parts that a text is charged and sent as."""
    sizes = [_size(sign, gsm=gsm) for gsm in (is_gsm(text),) for sign in text]
    alone, joined = (GSM_ALONE, GSM_JOINED) if is_gsm(text) else (UCS2_ALONE, UCS2_JOINED)
    if sum(sizes) <= alone:
        return 1
    count, room = 1, joined
    for size in sizes:
        if size > room:
            count, room = count + 1, joined
        room -= size
    return count


def shorten(sentence: str, fits: Callable[[str], bool], *, mark: str) -> str | None:
    """Give the longest beginning of a sentence, cut between words and ended by `mark`, that fits.

    A first word that is too long is cut between characters as people see them. None where not even that fits.
    """
    words = sentence.split(" ")
    for kept in range(len(words) - 1, 0, -1):
        cut = " ".join(words[:kept]).rstrip(",;:- ") + mark
        if fits(cut):
            return cut
    for end in _ends(words[0]):
        if fits(words[0][:end] + mark):
            return words[0][:end] + mark
    return None


def _size(sign: str, *, gsm: bool) -> int:
    """Give the septets (GSM) or 16-bit units (UCS-2) of a character; beyond the basic plane it is a surrogate pair."""
    if gsm:
        return 2 if sign in GSM_EXTENDED else 1
    return 2 if ord(sign) > 0xFFFF else 1


def _ends(word: str) -> Iterator[int]:
    """Give the places where a word may be cut, last first: never inside a cluster of marks or joined emoji."""
    for end in range(len(word) - 1, 0, -1):
        joined = "\u200d" in word[end - 1 : end + 1]
        if not joined and not unicodedata.category(word[end]).startswith("M") and not "🏻" <= word[end] <= "🏿":
            yield end
