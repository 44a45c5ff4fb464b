"""Translates the captioner's English into Korean without any network."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from broker.config.section import Language
from broker.notify.translation.korean import lexicon, sentence

_seam: Final = re.compile(r"\s*,\s*(?:and\s+)?|\s+(?:while|as)\s+")
"""Where a sentence that cannot be read whole is parted."""


class OfflineTranslator:
    """A grammar for one pair of languages; every other sentence is left as it is."""

    def translate(self, sentence: str, *, source: str, target: Language) -> str:
        """Return the first of `versions`."""
        return self.versions(sentence, source=source, target=target)[0]

    def versions(self, sentence: str, *, source: str, target: Language) -> Sequence[str]:
        """Return the sentence in Korean, briefer and briefer; the sentence itself where the grammar does not reach."""
        if not source.lower().startswith("en") or target != "ko":
            return (sentence,)
        return tuple(dict.fromkeys(_versions(sentence))) or (sentence,)


def _versions(text: str) -> Iterator[str]:
    for brief in range(3):
        found = whole(text, brief=brief) or (in_pieces(text) if brief == 0 else None)
        if found is not None:
            yield found


def whole(text: str, *, brief: int = 0) -> str | None:
    """Translate a sentence whole; None where the grammar does not reach to its end."""
    return sentence.translate(text, lexicon.shipped(), brief=brief)


def in_pieces(text: str) -> str | None:
    """Translate a sentence piece by piece, where every piece can be read; None where one cannot."""
    pieces = [whole(piece) for piece in _seam.split(text.strip().rstrip(".!? "))]
    return ", ".join(piece for piece in pieces if piece) if len(pieces) > 1 and all(pieces) else None
