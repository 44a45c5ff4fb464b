"""The word lists beside this file, read once and turned into what an English word may be."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources
from typing import Any, Final

import yaml

from broker.notify.translation.korean import inflection

ARTICLES: Final = frozenset({"a", "an", "the", "his", "her", "its", "their", "my", "your", "our"})
"""Left out within a key of more than one word: `in the middle of` is `in middle of`."""

MAX_WORDS: Final = 6
"""The longest key has five words, and an article may stand among them."""


class Aspect(Enum):
    """How a verb goes on; all but the last are parts of verbs.yaml, which explains them."""

    ACT = "act"
    POSE = "pose"
    KEEP = "keep"
    STATE = "state"
    BE = "be"
    """Does not go on: it is so (남자이다, 비슷하다)."""


class Form(Enum):
    """Forms of an English verb."""

    BASE = "base"
    THIRD = "third"
    ING = "ing"
    PAST = "past"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class NounWord:
    """An English noun: what it is called, what it is, whether there are several."""

    english: str
    korean: str
    kind: str
    plural: bool


@dataclass(frozen=True, slots=True)
class VerbWord:
    """An English verb in one of its forms."""

    lemma: str
    form: Form


@dataclass(frozen=True, slots=True)
class Frame:
    """What a verb is with certain words after it."""

    words: tuple[str, ...]
    """Particles and prepositions right after the verb."""
    what: str | None
    """English or kind of the noun behind them; "" where any will do, None where none may be."""
    korean: str
    behind: tuple[str, ...] = ()
    """Words behind the noun."""
    second: str | None = None
    """English or kind of a second noun behind those; "" where any will do, None where there is none."""

    @classmethod
    def of(cls, words: str, korean: str) -> "Frame":
        """Read a key of `joint` without its verb: `+weapon to +body`."""
        before, first, *rest = words.split("+")
        what, _, behind = first.partition(" ")
        return cls(tuple(before.split()), what, korean, tuple(behind.split()), rest[0].strip() if rest else None)


def fits(what: str | None, english: str, kind: str) -> bool:
    """Return whether a noun is what a frame asks for: itself, its last word (car window), or its kind."""
    called = {english, english.rpartition(" ")[2], kind}
    return what == "" or (what is not None and not called.isdisjoint(what.split("|")))


class Lexicon:
    """Everything that is known of English words."""

    def __init__(self, nouns: Mapping[str, Any], verbs: Mapping[str, Any], words: Mapping[str, Any]) -> None:
        self.nouns: dict[str, NounWord] = {}
        self.verbs: dict[str, list[VerbWord]] = {}
        self.korean: dict[tuple[str, Aspect], str] = {}
        self.frames: dict[str, list[Frame]] = {}
        self.joint: dict[str, list[Frame]] = {}
        self.groups: dict[str, frozenset[str]] = {}
        self.tables: dict[str, dict[str, str]] = {}
        self.measures: dict[str, str] = words["measures"]
        self.pronouns: dict[str, NounWord] = {}
        self._add_nouns(nouns, verbs, words)
        self._add_verbs(verbs)
        self._add_words(words, verbs)
        self.kinds = frozenset(word.kind for word in self.nouns.values())
        self.known = frozenset(word for key in self._keys() for word in key.split())

    def verb(self, lemma: str, aspect: Aspect) -> str:
        """Return the Korean of a verb under an aspect; "" where it has none there."""
        return self.korean.get((lemma, aspect), "")

    def find(self, table: str, before: str, english: str, kind: str) -> str | None:
        """Look a word up with the noun behind it: the noun itself goes before its kind, and that before any noun."""
        entries = self.tables[table]
        keys = (f"{before} +{english}", f"{before} +{kind}", before)
        return next((entries[key] for key in keys if key in entries), None)

    def lifeless(self, verb: str, english: str, kind: str) -> str:
        """Return what a thing does where a person would do `verb`."""
        for usual in {key.partition(" +")[0] for key in self.tables["lifeless"]}:
            if verb.endswith(usual) and (said := self.find("lifeless", usual, english, kind)) is not None:
                return verb.removesuffix(usual) + said
        return verb

    def _add_nouns(self, nouns: Mapping[str, Any], verbs: Mapping[str, Any], words: Mapping[str, Any]) -> None:
        plurals: dict[str, str] = nouns["plurals"]
        for kind, entries in nouns.items():
            if kind != "plurals":
                for english, korean in entries.items():
                    shown = "colour" if kind == "abstract" and english in words["colours"] else kind
                    self.nouns.setdefault(english, NounWord(english, korean, shown, plural=False))
        deeds = {lemma for aspect in Aspect for lemma in verbs.get(aspect.value, {})} - {"wave"}
        for word in list(self.nouns.values()):
            if word.kind in ("abstract", "event", "sport") and word.english in deeds:
                continue  # jumps, walks: the verb is meant nearly always
            many = inflection.plural(word.english)
            self.nouns.setdefault(many, NounWord(word.english, word.korean, word.kind, plural=True))
        for many, english in plurals.items():
            if english in self.nouns:
                word = self.nouns[english]
                self.nouns[many] = NounWord(english, word.korean, word.kind, plural=many != "clothes")

    def _add_verbs(self, verbs: Mapping[str, Any]) -> None:
        lemmas: dict[str, None] = {}
        for aspect in Aspect:
            for lemma, korean in verbs.get(aspect.value, {}).items():
                self.korean[lemma, aspect] = korean
                lemmas[lemma] = None
        for lemma in lemmas:
            past, done = verbs["irregular"].get(lemma, [inflection.past(lemma)] * 2)
            forms = {
                Form.BASE: lemma,
                Form.THIRD: inflection.third(lemma),
                Form.ING: inflection.ing(lemma),
                Form.PAST: past,
                Form.DONE: done,
            }
            for form, text in forms.items():
                self.verbs.setdefault(text, []).append(VerbWord(lemma, form))
        for key, korean in verbs["frames"].items():
            before, plus, what = key.partition("+")
            lemma, *after = before.split()
            shown = what.strip() if plus or "~" in korean else None
            self.frames.setdefault(lemma, []).append(Frame(tuple(after), shown, korean))
        for key, korean in verbs["joint"].items():
            lemma, _, rest = key.partition(" ")
            self.joint.setdefault(lemma, []).append(Frame.of(rest, korean))
        for frames in self.joint.values():
            frames.sort(key=self._generality)
        for group in ("instruments", "armed", "strikes", "seizes", "targets"):
            self.groups[group] = frozenset(verbs[group])

    def _generality(self, frame: Frame) -> tuple[int, int, int]:
        """Order frames of two nouns: more words first, a named noun before a kind before any noun."""
        kinds = {word.kind for word in self.nouns.values()}
        first, second = (
            2 if what == "" else 0 if what is None else int(not kinds.isdisjoint(what.split("|")))
            for what in (frame.what, frame.second)
        )
        return -len(frame.words) - len(frame.behind), second, first

    def _add_words(self, words: Mapping[str, Any], verbs: Mapping[str, Any]) -> None:
        for table in ("adjectives", "especially", "colours", "predicates", "numbers", "amounts", "counters"):
            self.tables[table] = words[table]
        for table in (
            "where",
            "distances",
            "within",
            "how",
            "like",
            "adverbs",
            "whole",
            "reworded",
            "lifeless",
            "tools",
        ):
            self.tables[table] = words[table]
        self.tables["asides"] = verbs["asides"]
        self.tables["passive"] = verbs["passive"]
        for english, said in words["pronouns"].items():
            ((kind, korean),) = said.items()
            self.pronouns[english] = NounWord(english, korean, kind, plural=False)
        places = {key.partition(" +")[0] for table in ("where", "how", "like") for key in words[table]}
        self.prepositions = frozenset(key.removeprefix("somebody ") for key in places)

    def _keys(self) -> Iterator[str]:
        yield from self.nouns
        yield from self.verbs
        yield from self.pronouns
        yield from self.measures
        yield from self.prepositions
        yield from ARTICLES
        yield from ("and", "or", "to", "is", "are", "was", "were", "has", "have", "there", "who", "that", "which", "of")
        yield from ("while", "whilst", "as", "when", "being", "been", "cannot", "this", "that", "these", "those", "'s")
        for table in ("adjectives", "predicates", "numbers", "amounts", "adverbs", "whole"):
            yield from self.tables[table]


@cache
def shipped() -> Lexicon:
    """Read the lists that are part of the program."""
    folder = resources.files("broker.notify.translation.korean")
    return Lexicon(*(_read(folder.joinpath(name).read_text("utf-8")) for name in _FILES))


_FILES: Final = ("nouns.yaml", "verbs.yaml", "words.yaml")

_token = re.compile(r"[a-z0-9]+(?:[-'][a-z0-9]+)*|[.,;:!?]")


def tokens(sentence: str) -> tuple[str, ...]:
    """Split an English sentence into words and signs; the possessive 's stands alone."""
    said = sentence.lower().replace("’", "'")
    parted = re.sub(r"(?<=\w)'s\b|(?<=s)'(?=\s)", " s_ ", said.replace(" 's", "'s"))
    return tuple(_split(parted))


def _split(text: str) -> Iterator[str]:
    for piece in text.split():
        yield from ["'s"] if piece == "s_" else _token.findall(piece)


def _read(text: str) -> Any:
    # The base loader makes text of everything: `no`, `off` and `~` are words here.
    return yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # noqa: S506 - builds text alone
