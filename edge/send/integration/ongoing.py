"""Which dangers are going on, by the captions in the order of their sequence numbers: what begins and what ends.

Captions of dangers are published before older ones without; an older caption than the newest of its camera changes
nothing any more.
"""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from contract.caption import Caption, Hazard
from edge.outbox.urgency import LIKELY


@dataclass(frozen=True, slots=True)
class Begun:
    """A danger that began."""

    stream: str
    hazard: Hazard
    at: datetime
    """When it began, or the time of the first caption with it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A danger that is over."""

    stream: str
    term: str
    at: datetime
    """When the first picture without it was taken."""


Change = Begun | Ended


class Seen(msgspec.Struct, frozen=True):
    """What is known of one camera."""

    seq: int
    """Sequence number of its newest caption."""
    terms: tuple[str, ...]
    """Dangers that go on."""


Memory = dict[str, Seen]
"""What is known of each camera, by its stream."""


def take(memory: Memory, event: Caption) -> tuple[Memory, list[Change]]:
    """Return the memory after a caption, and what has changed by it."""
    before = memory.get(event.stream, Seen(-1, ()))
    if event.seq <= before.seq:
        return memory, []
    found = {hazard.term: hazard for hazard in event.hazards if _goes_on(hazard)}
    changes: list[Change] = [
        Begun(event.stream, hazard, hazard.since or event.captured_at)
        for term, hazard in found.items()
        if term not in before.terms
    ]
    changes += [Ended(event.stream, term, event.captured_at) for term in before.terms if term not in found]
    return {**memory, event.stream: Seen(event.seq, tuple(found))}, changes


def _goes_on(hazard: Hazard) -> bool:
    """Whether a danger stands; a bundle that weighs no evidence gives its probability alone."""
    return hazard.since is not None or (hazard.evidence is None and hazard.probability >= LIKELY)
