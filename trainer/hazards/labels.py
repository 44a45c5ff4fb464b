"""What each view teaches: which dangers it shows, and of which nobody can say.

Label sets are partial. A picture of a gun says nothing of a fight; a crop of a fire says nothing of smoke that nobody
drew; a picture that is too bad for a danger to be seen teaches neither that it is there nor that it is not.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from trainer.hazards import bad_pictures, lights
from trainer.hazards.arrays import Floats
from trainer.hazards.features import Example
from trainer.hazards.pictures import CALM, EVERYDAY
from trainer.hazards.recipe import DANGERS, Source
from trainer.hazards.views import WEAPONS

SHOWN: Final = 0.6
"""Share of a box from which a crop shows it."""

NOT_SHOWN: Final = 0.03
"""Share up to which it does not."""

UNSURE: Final = 0.4
"""Weight of a picture whose label is its clip's, where others of its source have boxes and it has none."""

WORSENED: Final = 0.7
"""Weight of a danger in a bad picture."""

NAMED: Final[Mapping[str, str]] = {
    "armed": r"guns?|rifles?|pistol|swords?|knife|knives|weapons?|axe|machete|armed|shotgun|archery|bow",
    "fire": r"fire|flames?|burning|bonfire|campfire|torch|candles?|fireworks?|grill|sparks?|flaming",
    "smoke": r"smoke|smoking|steam|fog|mist|cloud of|dust|fire",
    "fight": r"fight\w*|wrestl\w*|boxing|boxers?|martial|karate|judo|punch\w*|kick\w*|hitting|tackl\w*|struggl\w*",
    "falling": r"fall|falling|falls|fallen|fell",
    "fallen": r"fall|falling|falls|fallen|fell",
}
"""Words of people that leave a danger open."""

SEEN: Final = {name: kind[2] for name, kind in {**bad_pictures.KINDS, **lights.KINDS}.items()}
"""How bad a picture may be for a danger to be seen, by what was done to it."""

LIGHTS_TEACH: Final = frozenset({"fire", "smoke"})
"""Dangers that a lamp in the lens is taken for; of others a lit picture teaches nothing: it cost weapons, fights."""

ROOMS: Final = frozenset({"frame", "mirrored", "bad", "lit", "zoom", "clip"})
"""Kinds of views that show the whole scene or nearly so: what is not boxed is there all the same."""

Row = tuple[dict[str, float], dict[str, float]]
"""What is there, and how well that is known, 0 to 1, by danger."""


def targets(examples: Sequence[Example], sources: Mapping[str, Source]) -> tuple[Floats, Floats]:
    """Return what is there and how well that is known: two float32 [M, H], over `DANGERS`."""
    rows = [_target(example, sources.get(example.source, Source())) for example in examples]
    there, known = (np.array([[row[at][danger] for danger in DANGERS] for row in rows], np.float32) for at in (0, 1))
    return there, known


def _target(example: Example, source: Source) -> Row:
    there, known = dict.fromkeys(DANGERS, 0.0), dict.fromkeys(DANGERS, 1.0)
    known["gun"] = known["knife"] = 0.0
    if example.label == EVERYDAY:
        known |= {term: 0.0 for term, words in NAMED.items() if re.search(rf"\b(?:{words})\b", example.captions)}
    elif example.label in WEAPONS and not source.calm:
        _weapon(example, there, known)
    elif example.label != CALM and not source.calm:
        _other(example, source, there, known)
    known |= dict.fromkeys(source.unknown.get(example.label, ()), 0.0)
    if example.kind == "lit":
        known |= dict.fromkeys(set(DANGERS) - LIGHTS_TEACH, 0.0)
    return _worsened(example, there, known)


def _weapon(example: Example, there: dict[str, float], known: dict[str, float]) -> None:
    shown = {name: _share(example, name) for name in WEAPONS}
    there["armed"], known["armed"] = _decided(max(shown.values()))
    if there["armed"] and shown["weapon"] < SHOWN:
        known["gun"] = known["knife"] = 1.0
        there["gun"], there["knife"] = float(shown["gun"] >= SHOWN), float(shown["knife"] >= SHOWN)
    known["fight"] = 0.0


def _other(example: Example, source: Source, there: dict[str, float], known: dict[str, float]) -> None:
    if example.label in source.boxed:
        for term in source.boxed:
            there[term], known[term] = _decided(_share(example, term))
        if example.label == "fight" and "fight" not in example.drawn:
            there["fight"], known["fight"] = 1.0, UNSURE if example.kind in ROOMS else 0.0
    else:
        there[example.label], known[example.label] = 1.0, float(example.kind in ROOMS)
    if example.label == "smoke" and example.inside and "smoke" not in example.inside:
        known["smoke"] = 0.0
    if example.label == "fight":
        known["armed"] = known["falling"] = known["fallen"] = 0.0


def _share(example: Example, name: str) -> float:
    """Return the share of a class's boxes that the view shows; of a whole picture all, where it is drawn at all."""
    return example.inside.get(name, 0.0) if example.kind in CROPS else float(name in example.drawn)


CROPS: Final = frozenset({"device", "weapon", "thing", "beside", "person", "zoom"})
"""Kinds of views that show a part."""


def _decided(share: float) -> tuple[float, float]:
    return (1.0, 1.0) if share >= SHOWN else (0.0, float(share < NOT_SHOWN))


def _worsened(example: Example, there: dict[str, float], known: dict[str, float]) -> Row:
    """Take back what nobody can tell of a bad picture."""
    if "covered" in example.bad:
        return dict.fromkeys(DANGERS, 0.0), {term: 0.0 if there[term] else share for term, share in known.items()}
    if "sideways" in example.bad:
        known["falling"] = known["fallen"] = 0.0
    for kind in example.bad:
        most = 0.5 if kind == "dark" and there["fire"] else SEEN[kind]
        if example.level > most:
            known = {term: 0.0 if there[term] else share for term, share in known.items()}
    if example.bad:
        known = {term: share * (WORSENED if there[term] else 1.0) for term, share in known.items()}
    return there, known
