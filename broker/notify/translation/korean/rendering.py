"""What a sentence is made of once it is Korean: things, and what is said of them."""

from dataclasses import dataclass, replace
from typing import Final

from broker.notify.translation.korean import conjugation, phonology
from broker.notify.translation.korean.lexicon import Aspect

ANIMATE: Final = frozenset({"person", "animal"})

WORN: Final = frozenset({"clothes", "hat", "shoe", "glove", "scarf", "jewel", "strap", "bag", "worn"})
"""Kinds that are put on, each with a verb of its own; several kinds at once have one in common."""

FALL: Final = "넘어지다"

FALLS: Final = ("넘어지다", "쓰러지다", "떨어지다")
"""Verbs before which another says why: 미끄러져 넘어진다."""

UNCOUNTED: Final = frozenset(
    {"모든", "많은", "더 많은", "다른", "각", "대부분의", "그런", "아무", "수많은", "수백의", "수십의"}
)
"""Amounts that stand before a thing; others go behind it with its counter: 개 여러 마리."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody does or how something is."""

    verb: str
    """In the dictionary form, with its object: 총을 들다."""
    aspect: Aspect
    around: tuple[str, ...] = ()
    """Where and how, in the order of the English words; Korean turns them round."""
    past: bool = False
    once: bool = False
    """Whether it happens at once, even after `is`: 총에 맞는다."""
    target: str = ""
    """The kind of its object."""
    armed: str = ""
    """What the person holds who does it: 칼을 들다."""

    @property
    def whole(self) -> str:
        """The verb with all that stands before it, in the dictionary form."""
        weapon = (conjugation.joined(self.armed),) if self.armed else ()
        return " ".join((*weapon, *reversed(self.around), self.verb))

    def before(self, second: "Deed", *, meanwhile: bool) -> str:
        """Return the form before a second deed of the same person: at the same time (울며), or earlier (들고)."""
        plain = self.aspect is Aspect.ACT and not conjugation.lasts(self.verb)
        meanwhile = meanwhile and not self.verb.endswith("잡다")
        if plain and second.verb.endswith(FALLS) and not self.past:
            return _cause(self.whole)
        return conjugation.joined(self.whole) if plain and not (meanwhile or self.past) else self.linked()

    def then(self, second: "Deed", *, meanwhile: bool) -> "Deed":
        """Return both deeds of one person as one, the second after this one; a fall that is said twice is said once."""
        if second.verb == FALL and self.verb.endswith(FALL):
            return replace(self, around=(*self.around, *second.around), past=second.past)
        return replace(second, around=(*second.around, self.before(second, meanwhile=meanwhile)))

    def when(self, main: "Deed") -> str:
        """Return the form of what is done while `main` is: 달리며; before a fall, 달리다가."""
        falls = self.aspect is Aspect.ACT and main.verb.endswith(FALLS)
        return self.whole + "가" if falls else self.linked()

    def before_noun(self) -> str:
        """Return the form that describes a noun: 총을 든."""
        whole = self.whole
        if conjugation.lasts(whole):
            return conjugation.present(whole)
        if self.past or self.aspect in (Aspect.KEEP, Aspect.STATE, Aspect.BE):
            return conjugation.done(whole)
        return conjugation.led(whole) + " 있는" if self.aspect is Aspect.POSE else conjugation.present(whole)

    def placed(self, then: "Deed") -> str:
        """Return the form before another deed; where somebody is becomes where it is done: 복도에서 총을 든."""
        if self.verb == "있다" and self.around and self.around[0].endswith("에"):
            return " ".join(reversed(self.around)) + ("" if then.aspect is Aspect.POSE else "서")
        return self.linked()

    def linked(self) -> str:
        """Return the form that stands before another deed of the same person: 총을 들고."""
        whole = self.whole
        if self.aspect in (Aspect.KEEP, Aspect.BE) or conjugation.lasts(whole):
            return conjugation.joined(whole)
        if self.aspect is Aspect.STATE:
            return conjugation.done(whole) + " 채"
        if self.past and whole.endswith("잃다"):
            return conjugation.joined(whole)
        if self.aspect is Aspect.POSE or self.past:
            led = conjugation.led(whole)
            return led + "서" if led.endswith("서") else led
        return conjugation.meanwhile(whole)

    def ending(self, *, lasting: bool) -> str:
        """Return the end of a sentence: 들고 있다 where it lasts, else 든다."""
        verb = self.verb
        if conjugation.lasts(verb) or self.aspect is Aspect.BE:
            return conjugation.past(verb) if self.past else verb
        if self.past:
            return conjugation.past(verb)
        if self.aspect in (Aspect.POSE, Aspect.STATE):
            return conjugation.led(verb) + " 있다"
        lasts = (lasting and not self.once) or self.aspect is Aspect.KEEP
        return conjugation.joined(verb) + " 있다" if lasts else conjugation.plain(verb)


@dataclass(frozen=True, slots=True)
class Thing:
    """A person, an animal or a thing, with what is said of it."""

    korean: str
    """Its name with what describes it in a word."""
    kind: str
    english: str
    plural: bool = False
    count: str = ""
    """How many: 두, 여러."""
    counter: str = ""
    deeds: tuple[Deed, ...] = ()
    of: str = ""
    """Whose, or what of, with its particle: 여자의, 건물."""
    joined: bool = False
    """Whether these are several things joined by `and`."""

    @property
    def animate(self) -> bool:
        """Whether it is a person or an animal."""
        return self.kind in ANIMATE

    def doing(self, deed: Deed) -> "Thing":
        """Return the same thing with one more deed."""
        return replace(self, deeds=(*self.deeds, deed))

    def bare(self) -> str:
        """Return its name and number, without what it does."""
        name = self.korean
        if self.plural and self.animate and not self.count and not self.joined and name not in ("사람들", "관중"):
            name += "들"
        if self.of:
            name = f"{self.of} {name}"
        if not self.count:
            return name
        if self.counter and (self.count not in UNCOUNTED):
            count = "몇" if self.count == "몇몇" else self.count
            return f"{self.count} {name}" if name == "사람" else f"{name} {count} {self.counter}"
        return f"{self.count} {name}"

    def said(self) -> str:
        """Return it with all that is said of it, which stands before it."""
        if not self.deeds:
            return self.bare()
        *first, last = self.deeds
        linked = (deed.placed(then) for deed, then in zip(first, self.deeds[1:], strict=True))
        return " ".join([*linked, last.before_noun(), self.bare()])

    def marked(self, particle: str) -> str:
        """Return it with a particle."""
        return phonology.marked(self.said(), particle)


def _cause(verb: str) -> str:
    """Return the form of what leads to a fall: 미끄러져, 균형을 잃고, 비틀거리다가."""
    if verb.endswith("비틀거리다"):
        return verb + "가"
    return conjugation.joined(verb) if verb.endswith("잃다") else conjugation.led(verb)


def join(first: Thing, word: str, rest: Thing) -> Thing:
    """Make one of several things; what the last one does is what they all do where the others do nothing."""
    shared = rest.deeds if word == "and" and not first.deeds and rest.joined is False else ()
    second = replace(rest, deeds=()) if shared else rest
    if word == ",":
        korean = f"{first.said()}, {second.said()}"
    elif word == "or":
        korean = f"{first.said()} 또는 {second.said()}"
    else:
        korean = f"{first.marked('과')} {second.said()}"
    worn = first.kind != rest.kind and {first.kind, rest.kind} <= WORN
    kind = "worn" if worn else first.kind if first.kind == rest.kind or first.animate else rest.kind
    return Thing(korean, kind, rest.english, plural=True, deeds=shared, joined=True)
