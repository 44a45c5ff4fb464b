"""Translates the captioner's English into Korean without any network."""

import re
from collections.abc import Iterator
from typing import Final

from broker.config import Language
from broker.translators.korean import lexicon, sentence

_seam: Final = re.compile(r"\s*,\s*(?:and\s+)?|\s+(?:while|as)\s+")
"""Where a sentence that cannot be read whole is parted."""


class Offline:
    """A grammar for one pair of languages; every other sentence is left as it is."""

    def translate(self, sentence: str, *, source: str, target: Language) -> str:
        """Give the sentence in Korean; the sentence itself where the grammar does not reach."""
        return next(self.versions(sentence, source=source, target=target), sentence)

    def versions(self, sentence: str, *, source: str, target: Language) -> Iterator[str]:
        """Give the sentence in Korean, each time briefer; nothing where the grammar does not reach."""
        if not source.lower().startswith("en") or target != "ko":
            return
        said: str | None = None
        for brief in range(3):
            found = whole(sentence, brief=brief) or (in_pieces(sentence) if brief == 0 else None)
            if found is not None and found != said:
                said = found
                yield found


def whole(text: str, *, brief: int = 0) -> str | None:
    """Translate a sentence whole; None where the grammar does not reach to its end."""
    return sentence.translate(text, lexicon.shipped(), brief=brief)


def in_pieces(text: str) -> str | None:
    """Translate a sentence piece by piece, where every piece can be read; None where one cannot."""
    pieces = [whole(piece) for piece in _seam.split(text.strip().rstrip(".!? "))]
    return ", ".join(piece for piece in pieces if piece) if len(pieces) > 1 and all(pieces) else None
