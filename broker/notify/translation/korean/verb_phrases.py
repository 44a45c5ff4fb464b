"""Reads English verb phrases into Korean deeds: holding a gun in his hand, running through the grass."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Final

from broker.notify.translation.korean import conjugation, phonology
from broker.notify.translation.korean.lexicon import ARTICLES, Aspect, Form, Frame, VerbWord, fits
from broker.notify.translation.korean.parser import Ends, Reader, best
from broker.notify.translation.korean.rendering import ANIMATE, Deed, Thing

INTENT: Final[Mapping[str, str]] = {"try": "려고 하다", "attempt": "려고 하다", "go": "려고 하다"}
"""Verbs with `to` that say what somebody means to do: trying to catch is 잡으려고 하다."""

OUTSET: Final = frozenset({"begin", "start"})
"""Verbs with `to` that say that something begins: 달리기 시작하다."""

BITTEN: Final = frozenset({"hold", "carry", "have"})
"""Verbs that mean 물다 when it is in the mouth."""

CAUSED: Final[Mapping[str, str]] = {"help": "돕다", "watch": "지켜보다", "see": "보다"}
"""Verbs with a person and what this person does."""

KEPT: Final = frozenset({"들다", "쥐다", "가지다", "흘리다", "묻히다"})
"""Verbs that say of what is held that it stays so: 들고 있다."""

TOOLS: Final = frozenset({"weapon", "thing", "body", "fluid"})
"""Kinds of what something may be done with."""

BLOWS: Final = TOOLS | {"bag", "shoe", "strap", "instrument"}
"""Kinds of what somebody may be struck with."""

PASSIVE_BY: Final = frozenset({"by", "from"})


class Deeds:
    """The verbs of one sentence."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.lexicon = reader.lexicon
        self._known: dict[tuple[int, Form], Ends[Deed]] = {}
        reader.actions = self.actions
        reader.perfects = lambda position, form: best(self.perfect(position, form))

    def actions(self, position: int, form: Form) -> Ends[Deed]:
        """Read a verb in one form with all that belongs to it, alone or joined with others."""
        key = (position, form)
        if key not in self._known:
            self._known[key] = []
            self._known[key] = best(self._joined(position, form))
        return self._known[key]

    def _joined(self, position: int, form: Form) -> Iterator[tuple[int, Deed]]:
        singles = best(self._single(position, form))
        for end, deed in singles:
            after = end + 1 if self.reader.at(end) == "," and self.reader.at(end + 1) == "and" else end
            if self.reader.at(after) == "and":
                for stop, second in self.actions(after + 1, form):
                    yield stop, deed.then(second, meanwhile=form is Form.ING)
        yield from singles

    def _single(self, position: int, form: Form) -> Iterator[tuple[int, Deed]]:
        adverb = self.lexicon.tables["adverbs"].get(self.reader.at(position)) if form is not Form.DONE else None
        if adverb is not None:
            for end, deed in self._plainly(position + 1, form):
                yield end, replace(deed, around=(*deed.around, adverb)) if adverb else deed
        yield from self._plainly(position, form)

    def _plainly(self, position: int, form: Form) -> Iterator[tuple[int, Deed]]:
        for word in self.lexicon.verbs.get(self.reader.at(position), ()):
            if word.form is form:
                for end, deed in best(self.begun(position + 1, word.lemma, form)):
                    if form is not Form.PAST or deed.target or not self._suffered(position, word.lemma):
                        yield from self.furthered(end, word.lemma, deed)

    def _suffered(self, position: int, lemma: str) -> bool:
        """Return whether a past without an object is what was done to somebody: a man stabbed in the chest."""
        passive = self.lexicon.find("passive", lemma, "", "") is not None
        return passive and VerbWord(lemma, Form.DONE) in self.lexicon.verbs[self.reader.at(position)]

    def perfect(self, position: int, form: Form) -> Iterator[tuple[int, Deed]]:
        """Read `has fallen`, which is said as what is done, not as what is done to somebody."""
        for word in self.lexicon.verbs.get(self.reader.at(position), ()):
            if word.form is form:
                begun = self.begun(position + 1, word.lemma, Form.BASE)
                fallen = self._in_frames(position + 1, "fallen", Form.BASE) if word.lemma == "fall" else iter(())
                for end, deed in best(chain(fallen, begun)):
                    yield from self.furthered(end, word.lemma, deed)

    def begun(self, position: int, lemma: str, form: Form) -> Iterator[tuple[int, Deed]]:
        """Read a verb with its object, or with what a frame asks for; the most particular comes first."""
        if form is Form.DONE:
            yield from self._fallen(position, lemma)
            yield from self._passive(position, lemma)
            yield from self._simple(position, lemma, form)
            return
        readings = best(chain(self._joint(position, lemma), self._simple(position, lemma, form)))
        for end, deed in readings:
            yield from self._with_tool(end, lemma, deed)
        yield from readings

    def _fallen(self, position: int, lemma: str) -> Iterator[tuple[int, Deed]]:
        """Read `fallen in the hallway` behind a noun."""
        if lemma == "fall":
            for end, deed in self._in_frames(position, "fallen", Form.BASE):
                yield end, replace(deed, aspect=Aspect.KEEP)
            yield position, Deed("쓰러지다", Aspect.KEEP)

    def _passive(self, position: int, lemma: str) -> Iterator[tuple[int, Deed]]:
        """Read `attacked by two men` and `stabbed`."""
        bare = self.lexicon.find("passive", lemma, "", "")
        if bare is None:
            return
        if self.reader.at(position) == "by":
            for end, thing in self.reader.things(position + 1, rich=False):
                korean = self.lexicon.find("passive", lemma, thing.english, thing.kind) or bare
                mark = "에게" if thing.animate else "에"
                yield end, Deed(f"{thing.said()}{mark} {korean}", Aspect.ACT, once=True)
        if self.reader.at(position) in ("in", "on"):
            for end, body in self.reader.things(position + 1, rich=False):
                if body.kind == "body":
                    yield end, Deed(f"{body.marked('을')} {bare}", Aspect.ACT, once=True)
        if not self.lexicon.verb(lemma, Aspect.STATE) and (lemma, "by") not in self._by_frames(lemma):
            yield position, Deed(bare, Aspect.ACT, once=True)

    def _joint(self, position: int, lemma: str) -> Iterator[tuple[int, Deed]]:
        """Read a verb with two nouns, or with words behind its noun: hold a gun to a head, knock a man down."""
        for frame in self.lexicon.joint.get(lemma, ()):
            start = self._after(position, frame.words)
            if start is None:
                continue
            for end, first in self.reader.things(start, rich=False):
                if not fits(frame.what, first.english, first.kind):
                    continue
                stop = self._after(end, frame.behind)
                if stop is None:
                    continue
                if frame.second is None:
                    yield stop, self._deed(phonology.fill(frame.korean, first.said()), first)
                    continue
                for last, second in self._aimed(stop, frame.behind):
                    if fits(frame.second, second.english, second.kind):
                        yield last, self._deed(phonology.fill_two(frame.korean, first.said(), second.said()), first)

    def _deed(self, korean: str, thing: Thing | None) -> Deed:
        """Make a deed of a filled frame; before a bar stands where it is done."""
        place, bar, verb = korean.rpartition(" | ")
        kept = Aspect.KEEP if korean.rpartition(" ")[2] in KEPT else Aspect.ACT
        return Deed(verb, kept, (place,) if bar else (), target=thing.kind if thing else "")

    def _with_tool(self, position: int, lemma: str, deed: Deed) -> Iterator[tuple[int, Deed]]:
        """Read `with a knife` behind an object as what it is done with, or as what the person holds who does it."""
        lexicon = self.lexicon
        strikes = lexicon.groups["strikes"]
        if self.reader.at(position) != "with" or not deed.target:
            return
        for end, tool in self.reader.things(position + 1, rich=False):
            if lemma in lexicon.groups["armed"] and tool.kind == "weapon":
                yield end, replace(deed, armed=f"{tool.marked('을')} 들다")
            elif lemma in lexicon.groups["instruments"] and tool.kind in (TOOLS if lemma not in strikes else BLOWS):
                before, _, verb = deed.verb.rpartition(" ")
                called = lexicon.tables["tools"].get(tool.english, tool.korean)
                means = replace(tool, korean=called).marked("로")
                parts = (before, means) if deed.target in ANIMATE else (means, before)
                yield end, replace(deed, verb=" ".join((*parts, verb)))

    def objects(self, position: int, lemma: str) -> Iterator[tuple[int, Thing]]:
        """Read an object; a person who is struck on the ground has fallen there."""
        things = self.reader.things(position, rich=False)
        if lemma in self.lexicon.groups["strikes"]:
            for end, thing in things:
                for stop in self._on_ground(end) if thing.animate and not thing.deeds else ():
                    yield stop, thing.doing(Deed("쓰러지다", Aspect.KEEP))
        if lemma in self.lexicon.groups["seizes"]:
            for end, thing in things:
                for stop in self._on_ground(end) if thing.animate and not thing.deeds else ():
                    yield stop, thing.doing(Deed("있다", Aspect.ACT, ("바닥에",)))
        yield from things

    def _on_ground(self, position: int) -> Iterator[int]:
        if self.reader.at(position) == "on":
            for end, ground in self.reader.things(position + 1, rich=False):
                if ground.english in ("ground", "floor"):
                    yield end

    def _simple(self, position: int, lemma: str, form: Form) -> Iterator[tuple[int, Deed]]:
        yield from self._meant(position, lemma)
        yield from self._caused(position, lemma)
        aspects = (Aspect.STATE,) if form is Form.DONE else (Aspect.KEEP, Aspect.POSE, Aspect.ACT)
        aspect = next((found for found in aspects if self.lexicon.verb(lemma, found)), None)
        yield from self._in_frames(position, lemma, form)
        if aspect is not None:
            verb = self.lexicon.verb(lemma, aspect)
            if form is not Form.DONE and aspect is not Aspect.POSE:
                for end, thing in (
                    () if {"을", "를"} & {word[-1] for word in verb.split()} else self.objects(position, lemma)
                ):
                    whole = f"{thing.marked('을')} {verb}"
                    yield end, Deed(self._in_mouth(end, lemma, thing, whole), aspect, target=thing.kind)
            yield position, Deed(verb, aspect)

    def _in_frames(self, position: int, lemma: str, form: Form) -> Iterator[tuple[int, Deed]]:
        frames = sorted(self.lexicon.frames.get(lemma, ()), key=self._particular)
        for frame in frames:
            kept = self._aspect_of(lemma, form, frame)
            if kept is not None:
                for end, korean, thing in self._framed(position, lemma, frame):
                    yield end, replace(self._deed(self._in_mouth(end, lemma, thing, korean), thing), aspect=kept)

    def _caused(self, position: int, lemma: str) -> Iterator[tuple[int, Deed]]:
        """Read `helps a man get up` and `watching two men fight`."""
        if lemma not in CAUSED:
            return
        for end, thing in self.reader.things(position, rich=False):
            behind = end + 1 if self.reader.at(end) == "to" else end
            for stop, deed in self.actions(behind, Form.BASE):
                whole = deed.whole.removesuffix("다") + "도록" if lemma == "help" else Deed.before_noun(deed) + " 것을"
                yield stop, Deed(f"{thing.marked('이')} {whole} {CAUSED[lemma]}", Aspect.ACT)

    def _by_frames(self, lemma: str) -> set[tuple[str, str]]:
        return {(lemma, "by") for frame in self.lexicon.frames.get(lemma, ()) if frame.words[:1] == ("by",)}

    def _aspect_of(self, lemma: str, form: Form, frame: Frame) -> Aspect | None:
        """Say how a verb goes on in a frame; None where the frame is not for this form."""
        if form is Form.DONE:
            if frame.words and (self.lexicon.verb(lemma, Aspect.STATE) or frame.words[0] in PASSIVE_BY):
                by = frame.korean.startswith(("~이", "~에 보", "~에서 보"))
                return Aspect.ACT if by else Aspect.STATE
            if frame.words and self.lexicon.verb(lemma, Aspect.KEEP):
                return Aspect.KEEP
            return Aspect.POSE if frame.words and self.lexicon.verb(lemma, Aspect.POSE) else None
        if frame.words and frame.words[0] == "by" and not self.lexicon.verb(lemma, Aspect.ACT):
            return None
        aspects = (Aspect.KEEP, Aspect.POSE, Aspect.ACT)
        return next((found for found in aspects if self.lexicon.verb(lemma, found)), Aspect.ACT)

    def _framed(self, position: int, lemma: str, frame: Frame) -> Iterator[tuple[int, str, Thing | None]]:
        end = self._after(position, frame.words)
        if end is None:
            return
        if frame.what is None:
            yield end, frame.korean, None
            return
        things = self._aimed(end, frame.words) if frame.words else self.objects(end, lemma)
        for stop, thing in things:
            if fits(frame.what, thing.english, thing.kind):
                yield stop, self._filled(frame, thing), thing

    def _filled(self, frame: Frame, thing: Thing) -> str:
        inner = self.lexicon.tables["within"].get(thing.english)
        inside = bool(frame.words) and frame.words[0] in ("in", "into", "through", "across")
        plain = not thing.deeds and not thing.count and not thing.of
        return phonology.fill(frame.korean, inner if inside and inner and plain else thing.said())

    def _in_mouth(self, end: int, lemma: str, thing: Thing | None, korean: str) -> str:
        mouth = self.reader.at(end) in ("in", "with") and "mouth" in self.reader.tokens[end + 1 : end + 3]
        if thing is not None and lemma in BITTEN and mouth:
            return f"{thing.marked('을')} 물다"
        return korean

    def _after(self, position: int, words: tuple[str, ...]) -> int | None:
        """Return where a frame's words end; None where they are not there, or begin another preposition."""
        for word in words:
            if self.reader.at(position) in ARTICLES and self.reader.at(position + 1) == word:
                position += 1
            if self.reader.at(position) != word:
                return None
            position += 1
        if words and words[-1] in self.lexicon.prepositions:
            longer = self.reader.match(position - 1, self.lexicon.prepositions)
            if (longer and longer[0][0] > position and " of" in longer[0][1]) or (longer and longer[0][1] == "next to"):
                return None
        return position

    def _meant(self, position: int, lemma: str) -> Iterator[tuple[int, Deed]]:
        """Read `trying to catch` and `begins to run`."""
        if self.reader.at(position) != "to" or (lemma not in INTENT and lemma not in OUTSET):
            return
        for end, deed in self.actions(position + 1, Form.BASE):
            if lemma in INTENT:
                meant = conjugation.meanwhile(deed.verb, INTENT[lemma])
            else:
                meant = deed.verb.removesuffix("다") + "기 시작하다"
            yield end, Deed(meant, Aspect.ACT, deed.around)

    def furthered(self, position: int, lemma: str, deed: Deed) -> Iterator[tuple[int, Deed]]:
        """Read on: where, how, what for, and what else is done meanwhile; as far as it goes first."""
        for end, words in self._further(position, lemma, deed):
            further = deed if not words or self._spared(words, deed) else replace(deed, around=(*deed.around, words))
            yield from self.furthered(end, lemma, further)
        yield position, deed

    def _spared(self, words: str, deed: Deed) -> bool:
        posed = deed.aspect is Aspect.POSE and not deed.around and words.endswith("에")
        return self.reader.brief > 1 and not posed

    def _further(self, position: int, lemma: str, deed: Deed) -> Iterator[tuple[int, str]]:
        reader = self.reader
        for end, adverb in reader.match(position, self.lexicon.tables["adverbs"]):
            yield end, self.lexicon.tables["adverbs"][adverb]
        yield from self._circumstances(position, lemma, deed)
        after = position + 1 if reader.at(position) == "," else position
        if reader.at(after) in ("while", "whilst"):
            after += 1
        for end, second in self.actions(after, Form.ING):
            yield end, second.when(deed)
        if reader.at(position) == "to":
            for end, aim in self.actions(position + 1, Form.BASE):
                yield end, conjugation.meanwhile(aim.whole, "려고")
        if after == position:
            for end, state in self.actions(position, Form.DONE):
                yield end, state.linked()

    def _circumstances(self, position: int, lemma: str, deed: Deed) -> Iterator[tuple[int, str]]:
        """Read a preposition and what follows it as where or how something is done."""
        reader, tables = self.reader, self.lexicon.tables
        for after, word in reader.match(position, self.lexicon.prepositions):
            if "~" not in tables["where"].get(word, "~"):
                goes = word.startswith("to ") and deed.aspect is Aspect.ACT
                yield after, tables["where"][word] + ("으로" if goes else self._particle(deed, None, lemma))
                continue
            for end, thing in self._aimed(after, (word,)):
                for stop, carried in reader.in_hand(end, word, thing):
                    yield stop, carried.linked()
                if (words := self.circumstance(word, lemma, deed, thing)) is not None:
                    yield end, words

    def _aimed(self, position: int, words: tuple[str, ...]) -> Iterator[tuple[int, Thing]]:
        """Read what stands behind a preposition; of a person aimed at, also where: the man behind the counter."""
        if words == ("at",):
            for end, thing in self.reader.things(position, rich=True):
                if thing.kind == "person" and thing.deeds and thing.deeds[-1].verb == "있다":
                    yield end, thing
        yield from self.reader.things(position, rich=False)

    def _turns(self, word: str, lemma: str, deed: Deed, thing: Thing) -> bool:
        """Return whether a place or means would turn the meaning: a knife to his neck, attacked by a man."""
        if word in ("to", "against"):
            return thing.kind == "body"
        suffered = self.lexicon.find("passive", lemma, "", "") is not None
        return word == "by" and thing.animate and suffered and not deed.once

    def circumstance(self, word: str, lemma: str, deed: Deed, thing: Thing) -> str | None:
        """Say where or how: what is true of the verb first, then of the noun, then of the preposition."""
        tables = self.lexicon.tables
        if self._turns(word, lemma, deed, thing):
            return None
        if word == "by" and deed.once:
            return thing.said() + ("에게" if thing.animate else "에")
        if (aside := tables["asides"].get(f"{lemma} {word}")) is not None:
            return phonology.fill(aside, thing.said())
        particular = f"{word} +{thing.english}" in tables["how"] or f"{word} +{thing.kind}" in tables["how"]
        how = self.lexicon.find("how", word, thing.english, thing.kind)
        place = self.reader.place(word, thing)
        worn = self.lexicon.find("like", word, thing.english, thing.kind) if word in ("in", "on") else None
        if how is not None and (particular or place is None or deed.aspect is Aspect.ACT):
            return phonology.fill(how, thing.said())
        if worn is not None:
            return Deed(phonology.fill(worn, thing.said()), Aspect.KEEP).linked()
        return None if place is None else place + self._particle(deed, thing, lemma)

    def _particle(self, deed: Deed, thing: Thing | None, lemma: str) -> str:
        """에 for where something rests, 에서 for where something is done."""
        posed = deed.aspect is Aspect.POSE and not any(words.endswith("에") for words in deed.around)
        on_body = thing is not None and thing.kind == "body"
        if deed.aspect is Aspect.POSE and thing is not None and deed.around and deed.around[-1].endswith("에"):
            return "" if thing.kind in ("place", "thing", "ride", "vehicle") and not thing.deeds else "에서"
        goes = lemma in self.lexicon.groups["targets"]
        return "에" if posed or on_body or goes or deed.aspect is Aspect.STATE else "에서"

    def _particular(self, frame: Frame) -> tuple[int, int]:
        """Order frames: more words first, a named noun before a kind before any noun before none."""
        what = frame.what
        named = 3 if what is None else 2 if what == "" else 1 if what in self.lexicon.kinds else 0
        return -len(frame.words), named
