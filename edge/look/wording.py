"""Wording: mends an English sentence that contradicts what else the frame shows.

The captioner guesses; the boxes counted the people, and the evidence judged the dangers. Where a sentence says
otherwise, they are right more often. The place of a fire or a fight was learnt from labels that name none: it is left
out. Sentences in any other language stay as they are.
"""

import re
from collections.abc import Mapping, Sequence, Set
from typing import Final

from edge.infer.detection import Detection
from edge.look import counting
from edge.look.crops import PERSON

LANGUAGE: Final = "en"
"""The language that it mends."""

DANGERS: Final[Mapping[str, str]] = {
    "fight": "people are fighting",
    "fallen": "a person is lying on the floor",
    "falling": "a person is falling to the floor",
    "gun": "a person is holding a gun",
    "knife": "a person is holding a knife",
    "weapon": "a person is holding a weapon",
    "fire": "a fire is burning",
    "smoke": "smoke is rising",
}
"""What is said of a danger that the sentence leaves out, the gravest for people first."""

_SOMEWHERE: Final = "a (?:building|room|street)"
WITHOUT_PLACE: Final = (
    (re.compile(rf"^{_SOMEWHERE} is on fire$"), "a fire is burning"),
    (re.compile(rf"^{_SOMEWHERE} is full of smoke$"), "smoke fills the view"),
    (re.compile(rf"^smoke fills {_SOMEWHERE}$"), "smoke fills the view"),
    (re.compile(rf"^(.* (?:fighting|each other|burning|rising)) in {_SOMEWHERE}$"), r"\1"),
)
"""Sentences about a danger in a place that was drawn by lot when they were learnt, and the same without it."""

VIEW: Final = re.compile(r"seen (from|by) a camera|black and white view|nobody is in danger|^an empty place")
"""Sentences that say of a surveillance picture only that it is one."""

STOCK: Final = re.compile(r"^people are (walking in the street|in a shop|standing and talking)$")
"""Sentences learnt of streets, shops, buses and stairs alike: of a picture like those they say no more than that."""

PLACES: Final = ("room", "yard", "corridor", "hallway", "shop")
"""Places of which such a sentence may know that much."""

NUMBERS: Final = {1: "a", 2: "two", 3: "three", 4: "four", 5: "five"}
MANY: Final = "a group of"
"""What is said of more people than there are words for."""

SINGULAR: Final[Mapping[str, str]] = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "boys": "boy",
    "girls": "girl",
    "children": "child",
    "kids": "child",
}
CROWD: Final = ("a group of", "a crowd of", "several", "a few", "many")
LEADING: Final = re.compile(
    rf"^(?P<number>two|three|four|five|{'|'.join(CROWD)}) (?P<noun>{'|'.join(SINGULAR)})"
    r"(?P<verb> are)?(?= (in|on|at|with|near|wearing|\w+ing)\b)"
)
"""A sentence that begins with how many people there are, and whose words still fit another number of them."""

THIRD: Final = 1 / 3


def settle(
    text: str,
    found: Sequence[Detection],
    dangers: Set[str],
    named: Mapping[str, Sequence[str]],
    people_in_view: int = 0,
) -> str:
    """Return the sentence, mended where it contradicts the dangers or the people counted.

    `dangers` are those that are believed, `named` holds the expressions by which a sentence names each of them.
    `people_in_view` were counted over many frames; where that is nobody, the boxes of this frame are counted.
    """
    if dangers:
        return _with_danger(text, dangers, named)
    people = [box for box in found if box.name == PERSON]
    count = people_in_view or counting.count(people)
    if not count and "people" in text.split() and (STOCK.search(text) or VIEW.search(text)):
        return "people are in view"
    if STOCK.search(text):
        return _view(None, people, count)
    if VIEW.search(text):
        return _view(next((word for word in PLACES if word in text.split()), None), people, count)
    return _counted(text, count)


def _with_danger(text: str, dangers: Set[str], named: Mapping[str, Sequence[str]]) -> str:
    if not _names(text, dangers, named):
        return next((said for term, said in DANGERS.items() if term in dangers), text)
    without = text
    for pattern, instead in WITHOUT_PLACE:
        without = pattern.sub(instead, without)
    return without if _names(without, dangers, named) else text


def _names(text: str, dangers: Set[str], named: Mapping[str, Sequence[str]]) -> bool:
    spoken = f" {text} "
    return any(f" {expression} " in spoken for term in dangers for expression in named.get(term, ()))


def _view(place: str | None, people: Sequence[Detection], count: int) -> str:
    """Say how many people are where, of a picture of which the captioner knows nothing."""
    if not count:
        return f"a {place}, nobody in it" if place else "nobody is in view"
    subject = "a person is" if count == 1 else f"{NUMBERS.get(count, MANY)} people are"
    where = f"in a {place}" if place else "in view"
    sides = {_side(box) for box in people if box.score >= max(one.score for one in people) / 2}
    return f"{subject} {where}" + (f", {sides.pop()}" if len(sides) == 1 else "")


def _side(box: Detection) -> str:
    middle = box.x + box.w / 2
    return "on the left" if middle < THIRD else "on the right" if middle > 1 - THIRD else "in the middle"


def _counted(text: str, count: int) -> str:
    """Say the number of people that was counted, where the sentence begins with another."""
    start = LEADING.match(text)
    if start is None or count == 0:
        return text
    said = start["number"]
    agrees = count > 2 if said in CROWD else said == NUMBERS.get(count)  # a group is three or more
    if agrees:
        return text
    rest = text[start.end() :]
    if count == 1:
        return f"a {SINGULAR[start['noun']]}{' is' if start['verb'] else ''}{rest}"
    return f"{NUMBERS.get(count, MANY)} {start['noun']}{start['verb'] or ''}{rest}"
