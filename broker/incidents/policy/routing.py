"""Who is told of an incident, at first and later."""

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
    """Who is told at once, and who is told in turn while nobody answers."""

    first: tuple[Recipient, ...]
    steps: tuple[Step, ...] = ()
    """Of all rounds, in order."""
    first_round: int = 0
    """How many of the steps tell people who were not told before."""

    @property
    def names(self) -> frozenset[str]:
        """Everyone who is told at once."""
        return frozenset(person.name for person in self.first)


def of(
    people: Sequence[Recipient], chains: Sequence[Escalation], *, site: str, danger: str, severity: Severity
) -> Route:
    """Find everyone's place: who stands in a step of the chain that holds is not told before it."""
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
    return Route(first, tuple(_rounds(first, steps, chain.cycles, pause)), first_round=len(steps))


def _rounds(first: tuple[Recipient, ...], steps: tuple[Step, ...], rounds: int, pause: timedelta) -> Iterator[Step]:
    """Give the steps of every round; a round after the first begins, a pause later, with those told first."""
    yield from steps
    for _ in range(rounds - 1):
        yield Step(pause, first)
        yield from steps


def _holds(chain: Escalation, site: str, danger: str, severity: Severity) -> bool:
    near = not chain.sites or site in chain.sites
    concerned = not chain.dangers or danger in chain.dangers
    return near and concerned and at_least(severity, chain.min_severity)
