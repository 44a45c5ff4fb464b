"""Counts the parts of a text message and cuts sentences, by the rules of GSM 03.38 and 23.040."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

import regex

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

KOREAN_BYTES: Final = 90
"""Bytes in EUC-KR that Korean carriers take as one message; what is longer costs more, or is cut."""

CARRIER_PREFIX: Final = "[Web발신]\n"
"""What Korean carriers put before a message that a computer sends; it counts."""

AUXILIARIES: Final = frozenset({"있다", "있음", "없다", "명", "마리", "대", "명이", "사람", "사람들"})
"""Last words of Korean sentences that say nothing without more words before them: 들고 있다, 남자 두 명."""

_TYPOGRAPHIC: Final = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " "}
)
"""Signs that would make a text UCS-2, with 70 characters a part in place of 160."""

_cluster: Final = regex.compile(r"\X")
"""What people see as one character (Unicode Standard Annex 29): a syllable, a letter with its marks, a joined emoji."""

_link: Final = re.compile(r"(?<=\w)(?:://|[.@])(?=\w)|(?<!\w)(?:tel|sms|mailto):", re.IGNORECASE)

_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs"})
"""Unicode categories: control, format, surrogate."""


def plain(text: str) -> str:
    """Compose characters, make typographic signs plain and drop invisible ones (direction marks could hide words)."""
    composed = unicodedata.normalize("NFC", text).translate(_TYPOGRAPHIC)
    return "".join(sign for sign in composed if sign == "\u200d" or unicodedata.category(sign) not in _INVISIBLE)


def harmless(text: str) -> str:
    """Make a text plain in which no telephone finds a link: a caption comes from a machine that may be in bad hands."""
    return _link.sub(lambda found: f"{found[0]} ", plain(text))


def is_gsm(text: str) -> bool:
    """Return whether a text can be sent in the 7-bit alphabet."""
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


def is_one(text: str) -> bool:
    """Return whether a text is one part."""
    return parts(text) == 1


def is_one_in_korea(text: str) -> bool:
    """Return whether a text is one short message in Korea: by bytes in EUC-KR with the prefix, not by GSM's parts."""
    try:
        return len((CARRIER_PREFIX + text).encode("euc-kr")) <= KOREAN_BYTES
    except UnicodeEncodeError:
        return False


def shorten(sentence: str, fits: Callable[[str], bool], *, mark: str, keep: str = "") -> str | None:
    """Return the longest part of a sentence, cut between words, that fits; `mark` stands where words are missing.

    Its end goes before its beginning, and the words `keep` go last. A sentence of one word is cut between characters
    as people see them. None where nothing fits.
    """
    return next((cut for cut in _cuts(sentence, keep, mark) if fits(cut)), None)


def shorten_korean(sentence: str, fits: Callable[[str], bool], *, mark: str) -> str | None:
    """As `shorten`, but from the beginning: what happens stands at the end of a Korean sentence.

    What remains is a verb with what it is done to; None where not even that fits.
    """
    words = sentence.split(" ")
    least = 3 if words[-1] in AUXILIARIES else 2
    cuts = (mark + " ".join(words[start:]) for start in range(1, len(words) - least + 1))
    return next((cut for cut in cuts if fits(cut)), None)


def _cuts(sentence: str, keep: str, mark: str) -> Iterator[str]:
    words = sentence.split(" ")
    first, last = _found(words, keep) or (0, 1)
    for end in range(len(words) - 1, last - 1, -1):
        yield " ".join(words[:end]).rstrip(",;:- ") + mark
    closing = mark if last < len(words) else ""
    for start in range(1, first + 1):
        yield mark + " ".join(words[start:last]).rstrip(",;:- ") + closing
    if len(words) == 1:
        yield from (words[0][:end] + mark for end in _ends(words[0]))


def _found(words: list[str], keep: str) -> tuple[int, int] | None:
    """Return where words stand in a sentence, in whatever case."""
    named, plain_ = keep.lower().split(), [word.strip(".,;:!").lower() for word in words]
    starts = (start for start in range(len(words)) if named and plain_[start : start + len(named)] == named)
    return next(((start, start + len(named)) for start in starts), None)


def _size(sign: str, *, gsm: bool) -> int:
    """Return the septets (GSM) or 16-bit units (UCS-2) of a character: two beyond the basic plane."""
    if gsm:
        return 2 if sign in GSM_EXTENDED else 1
    return 2 if ord(sign) > 0xFFFF else 1


def _ends(word: str) -> Iterator[int]:
    """Return the places where a word may be cut, last first: never inside what people see as one character."""
    ends = [found.start() for found in _cluster.finditer(word)]
    yield from (end for end in reversed(ends) if end)
