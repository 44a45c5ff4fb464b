"""Reads English noun phrases into Korean things: a man in a red shirt, two dogs running, a group of people."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from broker.notify.translation.korean import phonology
from broker.notify.translation.korean.lexicon import ARTICLES, MAX_WORDS, Aspect, Form, Lexicon, NounWord
from broker.notify.translation.korean.rendering import Deed, Thing, join

Node = TypeVar("Node")
Ends = list[tuple[int, Node]]
"""Readings that begin at one word, the best first, each with the number of the word behind it; one for each end."""

BRIEF_KEEPS: Final = frozenset({"weapon", "person", "animal"})
"""Kinds that even a brief sentence names with what they do."""

BREAKS_OUT: Final = frozenset({"fire", "smoke", "flame"})
"""What does not stand in a place but comes up there: 부엌에서 난 불."""

ONE_BY_ONE: Final = frozenset({"place", "vehicle", "ride", "weapon", "animal"})
"""Kinds whose plural never stands behind `a`: in `a bus stops`, `stops` is a verb."""

ATTRIBUTES: Final = frozenset({"baby", "police", "child", "dog", "team", "family", "horse", "fish", "hand", "face"})
"""Persons, animals and parts of the body that may stand before another noun: a police officer, a dog toy."""

_RELATIVES: Final = frozenset({"who", "that", "which"})
_HANDS: Final = frozenset({"hand", "arm", "lap", "back", "head", "shoulder", "paw"})


def best(readings: Iterator[tuple[int, Node]]) -> Ends[Node]:
    """Keep the first reading for each end."""
    kept: dict[int, Node] = {}
    for end, node in readings:
        kept.setdefault(end, node)
    return list(kept.items())


class Reader:
    """One sentence being read. `brief` leaves out what can be spared: 1 how things look, 2 also where and how."""

    def __init__(self, tokens: Sequence[str], lexicon: Lexicon, brief: int = 0) -> None:
        self.tokens = tokens
        self.lexicon = lexicon
        self.brief = brief
        self._things: dict[tuple[int, bool], Ends[Thing]] = {}
        self.actions: Callable[[int, Form], Ends[Deed]] = lambda _at, _form: []
        self.perfects: Callable[[int, Form], Ends[Deed]] = lambda _at, _form: []
        """Read verbs; set by `broker.notify.translation.korean.verb_phrases`, as nouns and verbs hold each other."""

    def at(self, position: int) -> str:
        """Return the word at a position; "" behind the end."""
        return self.tokens[position] if position < len(self.tokens) else ""

    def match(self, position: int, keys: "frozenset[str] | dict[str, str] | dict[str, NounWord]") -> Ends[str]:
        """Return the keys whose words begin at a position, the longest first; articles inside a key are passed over."""
        found: Ends[str] = []
        words = [self.at(position)]
        for end in range(position + 1, min(position + MAX_WORDS, len(self.tokens)) + 1):
            exact = " ".join(self.tokens[position:end])
            short = " ".join(words)
            if exact in keys:
                found.append((end, exact))
            elif short in keys and self.tokens[end - 1] not in ARTICLES:
                found.append((end, short))
            if self.at(end) not in ARTICLES:
                words.append(self.at(end))
        return found[::-1]

    def things(self, position: int, *, rich: bool) -> Ends[Thing]:
        """Read a noun phrase, alone or joined with others; a rich one takes along all that is said of it."""
        key = (position, rich)
        if key not in self._things:
            self._things[key] = []  # a phrase cannot begin with itself
            self._things[key] = best(self._joined(position, rich=rich))
        return self._things[key]

    def _joined(self, position: int, *, rich: bool) -> Iterator[tuple[int, Thing]]:
        singles = best(self._single(position, rich=rich))
        yield from singles
        for end, thing in singles:
            after = end + 1 if self.at(end) == "," and self.at(end + 1) in ("and", "or") else end
            word = self.at(after)
            if word in ("and", "or"):
                for stop, rest in self.things(after + 1, rich=rich):
                    if rich or thing.animate == rest.animate:
                        yield stop, join(thing, word, rest)
            elif word == ",":
                for stop, rest in self.things(after + 1, rich=rich):
                    if rest.joined:
                        yield stop, join(thing, ",", rest)

    def _single(self, position: int, *, rich: bool) -> Iterator[tuple[int, Thing]]:
        for end, thing in best(self._named(position)):
            yield from self._described(end, thing, rich=rich)

    def _named(self, position: int) -> Iterator[tuple[int, Thing]]:
        for end, english in self.match(position, self.lexicon.pronouns):
            word = self.lexicon.pronouns[english]
            if self.at(end) == "'s":
                for stop, owned in best(self._counted(end + 1)):
                    yield stop, replace(owned, of=word.korean + "의")
            yield end, Thing(word.korean, word.kind, english)
        yield from self._measured(position)
        yield from self._owned(position)

    def _measured(self, position: int) -> Iterator[tuple[int, Thing]]:
        """Read `a large group of people`."""
        start = position + 1 if self.at(position) in ARTICLES else position
        while self.at(start) in self.lexicon.tables["adjectives"] or self.at(start) in self.lexicon.tables["numbers"]:
            start += 1
        for end, measure in self.match(start, self.lexicon.measures):
            pattern = self.lexicon.measures[measure]
            if "~" not in pattern:
                yield end, Thing(pattern, "fluid", measure)
            for stop, inner in self.things(end, rich=False):
                yield (
                    stop,
                    replace(inner, korean=phonology.fill(pattern, inner.bare()), joined=True, of="", count=""),
                )

    def _owned(self, position: int) -> Iterator[tuple[int, Thing]]:
        """Read a noun with what stands before it, and a second one behind 's."""
        for end, thing in best(self._counted(position)):
            yield end, thing
            if self.at(end) == "'s":
                for stop, owned in best(self._counted(end + 1)):
                    yield stop, replace(owned, of=thing.said() + "의")

    def _counted(self, position: int) -> Iterator[tuple[int, Thing]]:
        tables = self.lexicon.tables
        start = position + 1 if self.at(position) in (*ARTICLES, "this", "that", "these", "those") else position
        for end, amount in [*self.match(position, tables["amounts"]), *self.match(start, tables["amounts"])]:
            behind = end + 1 if self.at(end) in ARTICLES else end
            yield from self._headed(behind, tables["amounts"][amount])
        if self.at(start) in tables["numbers"]:
            yield from self._headed(start + 1, tables["numbers"][self.at(start)])
        for end, thing in self._headed(start, ""):
            several = thing.plural and self.at(end - 1) != thing.english
            if not (several and self.at(position) in ("a", "an") and thing.kind in ONE_BY_ONE):
                yield end, thing

    def _headed(self, position: int, count: str) -> Iterator[tuple[int, Thing]]:
        for end, words, word in self._heads(position, ()):
            described = self._adjectives(words, word)
            counter = self.lexicon.tables["counters"].get(word.kind, "")
            name = " ".join((*described, word.korean))
            amount = "" if word.kind == "fluid" and counter == "" and count == "몇몇" else count
            yield end, Thing(name, word.kind, word.english, word.plural, amount, counter)

    def _heads(self, position: int, before: tuple[str, ...]) -> Iterator[tuple[int, tuple[str, ...], NounWord]]:
        """Yield every noun that adjectives and other nouns lead to."""
        nouns, adjectives = self.lexicon.nouns, self.lexicon.tables["adjectives"]
        for end, english in self.match(position, nouns):
            yield end, before, nouns[english]
        if len(before) >= MAX_WORDS:
            return
        colours = self.lexicon.tables["colours"]
        if self.at(position) in colours and self.at(position + 1) == "and" and self.at(position + 2) in colours:
            mixed = f"{self.at(position)} and {self.at(position + 2)}"
            yield from self._heads(position + 3, (*before, mixed))
        for end, english in self.match(position, adjectives):
            behind = end + 1 if self.at(end) == "," else end
            yield from self._heads(behind, (*before, english))
        for verb in self.lexicon.verbs.get(self.at(position), ()):
            korean = self.lexicon.verb(verb.lemma, Aspect.ACT) or self.lexicon.verb(verb.lemma, Aspect.POSE)
            if verb.form is Form.ING and korean and self.at(position) not in adjectives:
                yield from self._heads(position + 1, (*before, "=" + Deed(korean, Aspect.ACT).before_noun()))
        for end, english in self.match(position, nouns):
            word = nouns[english]
            if not word.plural and (word.kind not in ("animal", "body", "person") or english in ATTRIBUTES):
                yield from self._heads(end, (*before, "=" + word.korean))

    def _adjectives(self, words: Sequence[str], word: NounWord) -> Iterator[str]:
        if self.brief:
            return
        tables = self.lexicon.tables
        for said in words:
            if said.startswith("="):
                yield said[1:]
                continue
            special = self.lexicon.find("especially", said, word.english, word.kind)
            first, _, second = said.partition(" and ")
            if special is not None:
                yield special
            elif second:
                yield f"{phonology.marked(tables['colours'][first], '과')} {tables['colours'][second]}이 섞인"
            else:
                yield tables["adjectives"][said]

    def _described(self, position: int, thing: Thing, *, rich: bool) -> Iterator[tuple[int, Thing]]:
        """Read what is said of a thing behind it, as far as it goes; the longest comes first."""
        for end, owned in self._of(position, thing, rich=rich):
            yield from self._described(end, owned, rich=rich)
        for end, deed in self._likenesses(position, thing, rich=rich):
            yield from self._described(end, self._with(thing, deed), rich=rich)
        yield position, thing

    def _with(self, thing: Thing, deed: Deed) -> Thing:
        if not thing.animate:
            deed = replace(deed, verb=self.lexicon.lifeless(deed.verb, thing.english, thing.kind))
        spared = self.brief and not deed.around and deed.aspect is Aspect.KEEP and "들다" not in deed.verb
        return thing if spared else thing.doing(deed)

    def _of(self, position: int, thing: Thing, *, rich: bool) -> Iterator[tuple[int, Thing]]:
        if self.at(position) == "of" and not thing.of:
            for end, owner in self.things(position + 1, rich=False):
                within = owner.kind == "place" and thing.kind in ("place", "thing")
                yield end, replace(thing, of=owner.said() + ("" if within else "의"))
        if rich and self.at(position) in ("at", "in") and not thing.of and not thing.animate:
            for end, time in self.things(position + 1, rich=False):
                if time.kind == "time":
                    yield end, replace(thing, of=time.said() + "의")

    def _likenesses(self, position: int, thing: Thing, *, rich: bool) -> Iterator[tuple[int, Deed]]:
        at = position
        if rich and self.at(at) == "," and self.at(at + 1) not in ("and", "or"):
            at += 1
        if self.at(at) in _RELATIVES and self.at(at + 1) in ("is", "are"):
            at += 2
        if at == position or self.at(position) != ",":
            yield from self.likenesses(at, thing, rich=rich or at > position)
        if rich or thing.animate or at > position:
            for form in (Form.ING, Form.DONE):
                for end, deed in self.actions(at, form):
                    closing = end + 1 if at > position and self.at(end) == "," else end
                    yield closing, deed

        if self.at(at) in _RELATIVES:
            yield from self._related(at + 1, thing)

    def _related(self, position: int, thing: Thing) -> Iterator[tuple[int, Deed]]:
        """Read `who fell`, `who has fallen` and `who runs`."""
        if self.at(position) in ("has", "have"):
            for form in (Form.DONE, Form.PAST):
                for end, deed in self.perfects(position + 1, form):
                    yield end, replace(deed, past=True)
        for form in (Form.BASE if thing.plural else Form.THIRD, Form.PAST):
            for end, deed in self.actions(position, form):
                yield end, replace(deed, past=form is Form.PAST)

    def likenesses(self, position: int, thing: Thing, *, rich: bool) -> Iterator[tuple[int, Deed]]:
        """Read a preposition and what follows it as something that describes a thing."""
        for after, word in self.match(position, self.lexicon.prepositions):
            if word in self.lexicon.tables["where"] and "~" not in self.lexicon.tables["where"][word]:
                if rich:
                    yield after, Deed("있다", Aspect.ACT, (self.lexicon.tables["where"][word] + "에",))
                continue
            for end, other in self.things(after, rich=False):
                for stop, carried in self.in_hand(end, word, other):
                    if thing.animate or rich or carried.aspect is Aspect.ACT:
                        yield stop, carried
                verb = self._like(word, thing, other)
                if verb is not None and (rich or self._close(word, thing, other, verb)):
                    aspect = Aspect.ACT if verb == "불타다" else Aspect.KEEP
                    yield end, Deed(phonology.fill(verb, other.said()), aspect)
                elif verb is None and rich and (place := self.place(word, other)) is not None:
                    yield end, self._placed(thing, place)

    def _close(self, word: str, thing: Thing, other: Thing, verb: str) -> bool:
        """Return whether a description belongs to a person even as an object: a man in red, on a bicycle."""
        rides = word == "on" and other.kind in ("ride", "vehicle")
        return thing.animate and (word in ("in", "with") or rides) and "있다" not in verb

    def _placed(self, thing: Thing, place: str) -> Deed:
        if thing.english in BREAKS_OUT:
            return Deed("나다", Aspect.KEEP, (place + "에서",))
        if thing.kind == "event":
            return Deed("일어나다", Aspect.KEEP, (place + "에서",))
        return Deed("있다", Aspect.ACT, (place + "에",))

    def _like(self, word: str, thing: Thing, other: Thing) -> str | None:
        """Say what a preposition makes of a thing: one in a shirt wears it, one on a horse rides it."""
        special = self.lexicon.find("like", f"somebody {word}", other.english, other.kind) if thing.animate else None
        return special or self.lexicon.find("like", word, other.english, other.kind)

    def in_hand(self, position: int, word: str, other: Thing) -> Iterator[tuple[int, Deed]]:
        """Read `with a gun in his hand` and `with food on it`."""
        if word != "with" or self.at(position) not in ("in", "on", "around"):
            return
        for end, body in self.things(position + 1, rich=False):
            if body.english == "it":
                yield end, Deed(f"위에 {other.marked('이')} 있다", Aspect.ACT)
            elif body.kind == "body" and other.english == "blood":
                yield end, Deed(f"{body.said()}에 {other.marked('을')} 흘리다", Aspect.ACT)
            elif body.kind == "body":
                verb = "물다" if body.english == "mouth" else "들다" if body.english in _HANDS else "하다"
                yield end, Deed(f"{body.said()}에 {other.marked('을')} {verb}", Aspect.KEEP)

    def place(self, word: str, other: Thing) -> str | None:
        """Return where something is, without the particle; None where the preposition does not tell."""
        pattern = self.lexicon.find("where", word, other.english, other.kind)
        if pattern is None:
            return None
        inner = self.lexicon.tables["within"].get(other.english) if word in ("in", "into", "through") else None
        return phonology.fill(pattern, inner if inner and not other.deeds and not other.count else other.said())
