"""Translates the captioner's English into Korean without any network."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from broker.config.section import Language
from broker.notify.translation.korean import lexicon, phonology, sentence

_seam: Final = re.compile(r"\s*,\s*(?:and\s+)?|\s+(?:while|as)\s+")
"""Where a sentence that cannot be read whole is parted."""


_zone: Final = re.compile(
    r"^(?P<who>.{1,60}?) (?P<verb>comes? to|is at|are at|stays? at) the (?P<zone>[a-z0-9 ]{1,63})(?:: (?P<rest>.+))?$"
)
"""Who is at a zone, as a device says it: `a man stays at the north door: a man is reading`."""

_IN_ZONE: Final = {
    "comes to": "들어온다",
    "come to": "들어온다",
    "is at": "있다",
    "are at": "있다",
    "stays at": "머무른다",
    "stay at": "머무른다",
}


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
    """Yield a sentence in Korean, briefer and briefer; a zone that is no place the grammar knows keeps its name."""
    if whole(text) is None and (at_zone := _at_zone(text)) is not None:
        story, rest = at_zone
        yield from (f"{story}: {version}" for version in _versions(rest))
        yield story
        return
    for brief in range(3):
        found = whole(text, brief=brief) or (in_pieces(text) if brief == 0 else None)
        if found is not None:
            yield found


def _at_zone(text: str) -> tuple[str, str] | None:
    """Read who is at a zone, and what else is said; None where a sentence says nothing of the kind.

    A zone's name is the operator's own, and stays as it is.
    """
    found = _zone.match(text)
    who = None if found is None else whole(found["who"])
    if found is None or who is None:
        return None
    subject = phonology.marked(who, "이")
    return f"{subject} {found['zone']} 구역에 {_IN_ZONE[found['verb']]}", found["rest"] or ""


def whole(text: str, *, brief: int = 0) -> str | None:
    """Translate a sentence whole; None where the grammar does not reach to its end."""
    return sentence.translate(text, lexicon.shipped(), brief=brief)


def in_pieces(text: str) -> str | None:
    """Translate a sentence piece by piece, where every piece can be read; None where one cannot."""
    pieces = [whole(piece) for piece in _seam.split(text.strip().rstrip(".!? "))]
    return ", ".join(piece for piece in pieces if piece) if len(pieces) > 1 and all(pieces) else None
