"""A phrase of a rule: the few words to look for in a sentence.

gun                 any form of the word: gun, guns
=smoke              this form only, not smoking
wave|swing knife    one of several words
<person> fall       one word of a list from the rules file
cut ... knife       up to four words between, within one clause
~brawl              the word and its synonyms, where WordNet is installed
/gun(man|men)/      a regular expression: the whole phrase, between slashes (see regex.py)
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from broker.rules import korean, wordlists
from broker.rules import sentence as sentence_
from broker.rules.sentence import Sentence, Span, Word

MAX_GAP: Final = 4
"""Words that `...` may skip: "waving a very large kitchen knife" needs three."""

_word = re.compile(r"[=~]?[^\W_]+(?:'[^\W_]+)?")


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of a phrase: the words that may stand in it."""

    stems: frozenset[str]
    exact: frozenset[str]
    gap: int
    """How many words may be skipped before it."""
    words: tuple[str, ...]
    """As they were written, for examples."""

    def takes(self, word: Word) -> bool:
        """Return whether a word may stand here."""
        return word.stem in self.stems or word.text in self.exact

    @property
    def keys(self) -> frozenset[str]:
        """Stems of which a sentence must hold one, or this place stays empty."""
        return self.stems | {sentence_.stem(word) for word in self.exact}


@dataclass(frozen=True, slots=True)
class Phrase:
    """A compiled phrase; `text` is how the operator wrote it."""

    text: str
    slots: tuple[Slot, ...]

    def spans(self, sentence: Sentence) -> Iterator[Span]:
        """Return every place where the phrase begins in a sentence, with the nearest end."""
        words = sentence.words
        for start, word in enumerate(words):
            if self.slots[0].takes(word) and (stop := self._stop(words, start + 1, 1)) is not None:
                yield Span(start, stop)

    def _stop(self, words: Sequence[Word], at: int, slot_number: int) -> int | None:
        if slot_number == len(self.slots):
            return at
        slot = self.slots[slot_number]
        for place in range(at, min(at + slot.gap + 1, len(words))):
            if words[place].breaks:
                return None
            if slot.takes(words[place]) and (stop := self._stop(words, place + 1, slot_number + 1)) is not None:
                return stop
        return None


def compile(text: str, lists: Mapping[str, Sequence[str]]) -> Phrase:  # noqa: A001 - read as `phrase.compile`
    """Compile a phrase of the rules file, with expanded lists; raises `ValueError` naming the mistake."""
    slots: list[Slot] = []
    gap = 0
    for part in sentence_.folded(text).split():
        if part == "...":
            gap = MAX_GAP
        elif part not in sentence_.SMALL:
            slots.append(_slot(part, lists, gap))
            gap = 0
    if not slots or gap or text.lstrip().startswith("..."):
        raise ValueError(f"{text!r} needs a word at its beginning and at its end; `...` stands between words")
    return Phrase(text, tuple(slots))


def _slot(part: str, lists: Mapping[str, Sequence[str]], gap: int) -> Slot:
    stemmed: set[str] = set()
    exact: set[str] = set()
    written: list[str] = []
    for option in part.split("|"):
        for word in _expand(option, lists):
            if not _word.fullmatch(word):
                raise ValueError(f"{word!r} is no word; write words, `a|b`, `=word`, `~word`, `<list>` and `...`")
            written.append(word.lstrip("=~"))
            if word.startswith("="):
                exact.add(word[1:])
            elif word.startswith("~"):
                stemmed.update(sentence_.stem(other) for other in wordlists.with_synonyms(word[1:]))
            else:
                # 도로 may lose its end as if it were a particle, and 도로에 may not.
                stemmed.update({sentence_.stem(word), word} if korean.is_korean(word) else {sentence_.stem(word)})
    return Slot(frozenset(stemmed), frozenset(exact), gap, tuple(written))


def _expand(option: str, lists: Mapping[str, Sequence[str]]) -> Sequence[str]:
    named = wordlists.LIST_NAME.fullmatch(option)
    if named is None:
        return [option]
    if named[1] not in lists:
        raise ValueError(wordlists.unknown(named[1], lists))
    return lists[named[1]]
