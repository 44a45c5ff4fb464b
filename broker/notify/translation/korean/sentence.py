"""Reads an English sentence whole and gives it in Korean: who does what, or a noun with all that is said of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from broker.notify.translation.korean import conjugation, phonology
from broker.notify.translation.korean.lexicon import Aspect, Form, Lexicon, tokens
from broker.notify.translation.korean.parser import Ends, Reader, best
from broker.notify.translation.korean.rendering import Deed, Thing
from broker.notify.translation.korean.verb_phrases import Deeds

BE: Final = {"is": False, "are": False, "was": True, "were": True}
"""Forms of `be`, and whether they are past."""

MEANWHILE: Final = {"while": "동안", "whilst": "동안", "as": "가운데", "when": "때"}
"""Words that bring a second clause, and what stands behind it in Korean."""

ADJECTIVES: Final = ("비슷하다", "젊다", "이다", "없다")
"""How the predicates end that are so and do not go on."""

MAX_TOKENS: Final = 60
"""A caption of 200 characters has fewer; nothing longer is read."""


@dataclass(frozen=True, slots=True)
class Clause:
    """Somebody and what they do."""

    subject: Thing
    deed: Deed
    lasting: bool
    exists: bool = False
    """Whether the sentence says that there is such a subject."""

    def said(self) -> str:
        """Return the clause as a sentence; where it happens goes before a subject that is not alive."""
        around = list(reversed(self.deed.around))
        armed = self.deed.armed
        subject = (self.subject.doing(Deed(armed, Aspect.KEEP)) if armed else self.subject).marked("이")
        if not self.subject.animate and self.deed.verb == "연기가 나다":
            subject = self.subject.said() + "에서"
        front = [*around, subject] if self.exists or not self.subject.animate else [subject, *around]
        return " ".join([*front, self.deed.ending(lasting=self.lasting)])

    def before_noun(self) -> str:
        """Return the clause as it stands before 동안 and the like."""
        return f"{self.subject.marked('이')} {self.deed.before_noun()}"


FROM_ABOVE: Final = (("seen", "from", "a", "camera", "above"), ("seen", "from", "above"))
"""How the model's sentences end that speak of where the camera hangs."""


class Sentence:
    """One sentence being translated."""

    def __init__(self, words: tuple[str, ...], lexicon: Lexicon, brief: int) -> None:
        self.words = words
        self.lexicon = lexicon
        self.reader = Reader(words, lexicon, brief)
        self.deeds = Deeds(self.reader)

    def korean(self) -> str | None:
        """Return the sentence in Korean; None where the grammar does not reach to its end."""
        if whole := self.lexicon.tables["whole"].get(" ".join(self.words)):
            return whole
        viewed = self._viewed()
        if viewed is not None and not BE.keys().isdisjoint(self.words):
            return viewed
        return next((text for end, text in self._placed(0) if end == len(self.words)), None) or viewed

    def _viewed(self) -> str | None:
        """Read what a whole sentence says of the camera at its end: `people are in a room seen from above`."""
        view = next((each for each in FROM_ABOVE if self.words[-len(each) :] == each), None)
        if view is None:
            return None
        rest = self.words[: -len(view)]
        if rest and rest[-1] in BE:
            rest = rest[:-1]
        text = Sentence(rest, self.lexicon, self.reader.brief).korean() if rest else None
        return text and f"위에서 본 화면: {text}"

    def _placed(self, position: int) -> Iterator[tuple[int, str]]:
        yield from self._plain(position)
        for end, place in self._seen_at(position):
            for stop, text in self._plain(end):
                yield stop, f"{place}: {text}"
        for end, place in self._front(position):
            behind = end + 1 if self.reader.at(end) in (",", ":") else end
            for stop, text in self._plain(behind):
                yield stop, f"{place} {text}"

    def _seen_at(self, position: int) -> Iterator[tuple[int, str]]:
        """Read where the device has looked closer: `on the left, far away: ...`."""
        where, distances = self.lexicon.tables["where"], self.lexicon.tables["distances"]
        for end, side in self.reader.match(position, self.lexicon.prepositions):
            if "~" in where.get(side, "~"):
                continue
            far = self.reader.match(end + 1, distances) if self.reader.at(end) == "," else []
            stop, distance = (far[0][0], " " + distances[far[0][1]]) if far else (end, "")
            if self.reader.at(stop) == ":":
                yield stop + 1, where[side] + distance

    def _front(self, position: int) -> Iterator[tuple[int, str]]:
        """Read where something is, before the sentence: `on the left, a man ...`."""
        for after, word in self.reader.match(position, self.lexicon.prepositions):
            where = self.lexicon.tables["where"].get(word, "~")
            if "~" not in where:
                yield after, where + "에"
                continue
            for end, thing in self.reader.things(after, rich=False):
                if (place := self.reader.place(word, thing)) is not None:
                    yield end, place + "에서"

    def _plain(self, position: int) -> Iterator[tuple[int, str]]:
        clauses = self.clauses(position)
        for end, clause in clauses:
            yield from self._with_second(end, clause)
        yield from ((end, clause.said()) for end, clause in clauses)
        for end, thing in self.reader.things(position, rich=True):
            yield end, thing.said()
        for end, deed in self.deeds.actions(position, Form.ING):
            yield end, " ".join((*reversed(deed.around), deed.ending(lasting=True)))

    def _with_second(self, end: int, clause: Clause) -> Iterator[tuple[int, str]]:
        after = end + 1 if self.reader.at(end) == "," else end
        word = self.reader.at(after)
        if word in MEANWHILE:
            for stop, second in self.clauses(after + 1):
                yield stop, f"{second.before_noun()} {MEANWHILE[word]} {clause.said()}"
        if word == "and":
            for stop, second in self.clauses(after + 1):
                yield stop, f"{_linked(clause)} {second.said()}"

    def clauses(self, position: int) -> Ends[Clause]:
        """Read a subject and what it does."""
        return best(self._clauses(position))

    def _clauses(self, position: int) -> Iterator[tuple[int, Clause]]:
        if self.reader.at(position) == "there" and self.reader.at(position + 1) in BE:
            for end, thing in self.reader.things(position + 2, rich=True):
                yield end, _existing(thing)
        for end, subject in sorted(self.reader.things(position, rich=True), key=lambda found: -found[0]):
            yield from self._predicated(end, subject)

    def _predicated(self, position: int, subject: Thing) -> Iterator[tuple[int, Clause]]:
        singles = best(self._states(position, subject))
        for end, clause in singles:
            if self.reader.at(end) == "and":
                for stop, second in best(self._states(end + 1, subject)):
                    yield stop, replace(second, deed=clause.deed.then(second.deed, meanwhile=clause.lasting))
        yield from singles

    def _states(self, position: int, subject: Thing) -> Iterator[tuple[int, Clause]]:
        for end, clause in self._stated(position, subject):
            if subject.animate:
                yield end, clause
                continue
            verb = self.lexicon.lifeless(clause.deed.verb, subject.english, subject.kind)
            yield end, replace(clause, deed=replace(clause.deed, verb=verb))

    def _stated(self, position: int, subject: Thing) -> Iterator[tuple[int, Clause]]:
        word = self.reader.at(position)
        if word in BE:
            for end, deed in self._being(position + 1, subject):
                yield end, Clause(subject, replace(deed, past=BE[word]) if BE[word] else deed, lasting=True)
        if word in ("has", "have"):
            for form in (Form.DONE, Form.PAST) if self.reader.at(position + 1) != "been" else ():
                for end, deed in self.deeds.perfect(position + 1, form):
                    yield end, Clause(subject, replace(deed, past=True), lasting=False)
            if self.reader.at(position + 1) == "been":
                for end, deed in self.deeds.actions(position + 2, Form.DONE):
                    yield end, Clause(subject, replace(deed, past=True), lasting=False)
        if word == "cannot":
            for end, deed in self.deeds.actions(position + 1, Form.BASE):
                unable = Deed(deed.verb.removesuffix("다") + "지 못하다", Aspect.ACT, deed.around)
                yield end, Clause(subject, unable, lasting=True)
        number = Form.BASE if subject.plural else Form.THIRD
        for form in (number, Form.PAST):
            for end, deed in self.deeds.actions(position, form):
                past = form is Form.PAST
                yield end, Clause(subject, replace(deed, past=True) if past else deed, lasting=False)

    def _being(self, position: int, subject: Thing) -> Iterator[tuple[int, Deed]]:
        start = position
        while self.reader.at(start) in ("all", "both", "also", "now", "just"):
            start += 1
        if self.reader.at(start) == "being":
            yield from ((end, replace(deed, once=False)) for end, deed in self.deeds.actions(start + 1, Form.DONE))
        for form in (Form.ING, Form.DONE):
            yield from self.deeds.actions(start, form)
        yield from self._described(start)
        for end, deed in self.reader.likenesses(start, subject, rich=True):
            yield from self.deeds.furthered(end, "be", deed)
        for after, adverb in self.reader.match(start, self.lexicon.tables["adverbs"]):
            if self.lexicon.tables["adverbs"][adverb].endswith("에서"):
                yield after, Deed("있다", Aspect.ACT, (self.lexicon.tables["adverbs"][adverb].removesuffix("서"),))
        for end, thing in self.reader.things(start, rich=False):
            yield end, Deed(f"{thing.said()}이다", Aspect.BE)

    def _described(self, position: int) -> Iterator[tuple[int, Deed]]:
        for after, word in self.reader.match(position, self.lexicon.tables["predicates"]):
            korean = self.lexicon.tables["predicates"][word]
            aspect = Aspect.BE if korean.endswith(ADJECTIVES) else Aspect.ACT
            if "~" not in korean:
                yield from self.deeds.furthered(after, "be", Deed(korean, aspect))
                continue
            for end, thing in self.reader.things(after, rich=False):
                yield end, Deed(phonology.fill(korean, thing.said()), Aspect.ACT)


def _existing(thing: Thing) -> Clause:
    """Return that there is such a thing; where it is goes before it: 바닥에 칼이 있다."""
    where = next((deed for deed in thing.deeds if deed.verb in ("있다", "나다")), None)
    place = tuple(at.removesuffix("서") for at in where.around) if where else ()
    thing = replace(thing, deeds=tuple(deed for deed in thing.deeds if deed is not where))
    if thing.english == "fire" and not thing.deeds:
        return Clause(thing, Deed("나다", Aspect.ACT, place, past=True), lasting=False, exists=True)
    if thing.english == "smoke" and not thing.deeds:
        return Clause(thing, Deed("나다", Aspect.ACT, tuple(f"{at}서" for at in place)), lasting=True, exists=True)
    return Clause(thing, Deed("있다", Aspect.ACT, place), lasting=True, exists=True)


def _linked(clause: Clause) -> str:
    said = clause.said()
    if said.endswith("있다") or clause.deed.past:
        return said.removesuffix("다") + "고"
    return said.removesuffix(clause.deed.ending(lasting=clause.lasting)) + conjugation.joined(clause.deed.verb)


def _reworded(words: tuple[str, ...], lexicon: Lexicon) -> tuple[str, ...]:
    text = f" {' '.join(words)} "
    for said, meant in lexicon.tables["reworded"].items():
        text = text.replace(f" {said} ", f" {meant} ")
    return tuple(text.split())


def translate(sentence: str, lexicon: Lexicon, *, brief: int = 0) -> str | None:
    """Return an English sentence in Korean, the briefer the higher `brief` (0 to 2); None where it cannot be read."""
    words = _reworded(tokens(sentence.strip().rstrip(".!? ")), lexicon)
    if not words or len(words) > MAX_TOKENS:
        return None
    return Sentence(words, lexicon, brief).korean()
