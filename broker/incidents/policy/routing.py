"""Routes an incident: who is notified of it at first, and who in each escalation step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from broker.config.broker import Recipient
from broker.config.incidents import Escalation
from broker.config.section import Severity, at_least


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an escalation."""

    after: timedelta
    """Without an answer since the step before."""
    people: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Who is notified at once, and who in turn while nobody answers."""

    first: tuple[Recipient, ...]
    steps: tuple[Step, ...] = ()
    """Of all cycles of the escalation, in order."""
    first_cycle: int = 0
    """How many of the steps notify people who were not notified before."""

    @property
    def names(self) -> frozenset[str]:
        """Everyone who is notified at once."""
        return frozenset(person.name for person in self.first)


def of(
    people: Sequence[Recipient], chains: Sequence[Escalation], *, site: str, danger: str, severity: Severity
) -> Route:
    """Route a danger: recipients named in a step of the matching chain are not notified before that step."""
    wanting = [person for person in people if person.wants(site, danger, severity)]
    chain = next((chain for chain in chains if _holds(chain, site, danger, severity)), None)
    if chain is None:
        return Route(tuple(wanting))
    by_name = {person.name: person for person in people}
    later = {name for step in chain.steps for name in step.notify}
    first = tuple(person for person in wanting if person.name not in later)
    steps = tuple(
        Step(timedelta(minutes=step.after_minutes), tuple(by_name[name] for name in step.notify))
        for step in chain.steps
    )
    if not first:
        first, steps = steps[0].people, steps[1:]
    pause = timedelta(minutes=chain.steps[-1].after_minutes)
    return Route(first, tuple(_cycles(first, steps, chain.cycles, pause)), first_cycle=len(steps))


def _cycles(first: tuple[Recipient, ...], steps: tuple[Step, ...], cycles: int, pause: timedelta) -> Iterator[Step]:
    """Yield the steps of every cycle; a later cycle begins, after a pause, with those who were notified first."""
    yield from steps
    for _ in range(cycles - 1):
        yield Step(pause, first)
        yield from steps


def _holds(chain: Escalation, site: str, danger: str, severity: Severity) -> bool:
    near = not chain.sites or site in chain.sites
    concerned = not chain.dangers or danger in chain.dangers
    return near and concerned and at_least(severity, chain.min_severity)
