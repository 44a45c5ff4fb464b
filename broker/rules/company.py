"""Who is in view: what a rule asks of the people and visits of a caption, and whether that holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from broker.rules.reasons import (
    EnteredZone,
    NotEntered,
    PeopleInView,
    Reason,
    Stayed,
    StayedInZone,
    StayedTooShortly,
    TooFewPeople,
)
from contract.caption import Caption, Phase, Visit

PERSON: Final = "person"
"""The label by which people are counted where a device does not follow them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a rule asks for; all of it must hold."""

    enters: frozenset[str] = frozenset()
    """Zones of which somebody enters one or, with `stays_seconds`, stays in one."""
    stays_seconds: int = 0
    """Time for which somebody stays; 0 for any."""
    people: int = 0
    """People in view at least; 0 for any number."""

    def __bool__(self) -> bool:
        return bool(self.enters or self.stays_seconds or self.people)


@dataclass(frozen=True, slots=True)
class Company:
    """The people of a caption."""

    people: int = 0
    visits: tuple[Visit, ...] = ()

    @classmethod
    def of(cls, caption: Caption) -> "Company":
        """Return who is in view by an event; of a device that follows nobody, by what its detector counted."""
        counted = next((label.count for label in caption.labels if label.name == PERSON), 0)
        return cls(caption.people if isinstance(caption.people, int) else counted, caption.visits or ())


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether one thing that is wanted holds, and why."""

    holds: bool
    reason: Reason


def answers(wanted: Wanted, company: Company) -> tuple[Answer, ...]:
    """Answer everything that a rule asks for."""
    return tuple(
        _answers(wanted, [visit for visit in company.visits if visit.phase is not Phase.LEAVES], company.people)
    )


def holds(wanted: Wanted, company: Company) -> bool:
    """Return whether everything holds that a rule asks for."""
    return all(answer.holds for answer in answers(wanted, company))


def _answers(wanted: Wanted, visits: Sequence[Visit], people: int) -> Iterator[Answer]:
    if wanted.enters and wanted.stays_seconds:
        yield _stay_in_zone(wanted, visits)
    elif wanted.enters:
        entered = (zone.name for visit in visits for zone in visit.zones if zone.entered and zone.name in wanted.enters)
        name = next(entered, None)
        missing = NotEntered(", ".join(sorted(wanted.enters)))
        yield Answer(name is not None, missing if name is None else EnteredZone(name))
    elif wanted.stays_seconds:
        longest = max((visit.seconds for visit in visits), default=0)
        yield _stay(longest, wanted.stays_seconds, Stayed(longest, wanted.stays_seconds))
    if wanted.people:
        enough = people >= wanted.people
        yield Answer(enough, (PeopleInView if enough else TooFewPeople)(people, wanted.people))


def _stay_in_zone(wanted: Wanted, visits: Sequence[Visit]) -> Answer:
    stays = [(zone.seconds, zone.name) for visit in visits for zone in visit.zones if zone.name in wanted.enters]
    longest, name = max(stays, default=(0, ""))
    return _stay(longest, wanted.stays_seconds, StayedInZone(name, longest, wanted.stays_seconds))


def _stay(seconds: int, least: int, reason: Reason) -> Answer:
    return Answer(True, reason) if seconds >= least else Answer(False, StayedTooShortly(seconds, least))
