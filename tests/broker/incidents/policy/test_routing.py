"""Who is told at once, and who in turn."""

from typing import Any

from broker.config.broker import Recipient
from broker.config.incidents import Escalation, Step
from broker.incidents.policy import routing
from broker.incidents.policy.routing import Route
from tests.broker.incidents.policy.cases import minutes

GUARD = Recipient(name="guard", phone="+12025550143")
CHIEF = Recipient(name="chief", phone="+12025550178")
NIGHT = Recipient(name="night", phone="+12025550190", sites=("depot",), dangers=("fire",))
PEOPLE = (GUARD, CHIEF, NIGHT)
CHAIN = Escalation(
    steps=(Step(after_minutes=5, notify=("chief",)), Step(after_minutes=10, notify=("night", "guard"))), cycles=1
)


def of(*chains: Escalation, **about: Any) -> Route:
    facts: dict[str, Any] = {"site": "north-gate", "danger": "gun", "severity": "critical"} | about
    return routing.of(PEOPLE, chains, **facts)


def test_without_a_chain_everyone_who_wants_it_is_told_at_once() -> None:
    assert of().names == {"guard", "chief"}
    assert of(site="depot", danger="fire").names == {"guard", "chief", "night"}
    assert of().steps == ()


def test_who_stands_in_a_step_is_told_at_that_step() -> None:
    found = of(Escalation(steps=(Step(after_minutes=5, notify=("chief",)),), cycles=1))

    assert found.names == {"guard"}
    assert [(step.after, [person.name for person in step.people]) for step in found.steps] == [(minutes(5), ["chief"])]


def test_where_all_stand_in_steps_the_first_step_is_taken_at_once() -> None:
    found = of(CHAIN)

    assert found.names == {"chief"}
    assert [[person.name for person in step.people] for step in found.steps] == [["night", "guard"]]


def test_another_round_begins_with_those_told_first() -> None:
    found = of(Escalation(steps=(Step(after_minutes=5, notify=("chief",)),), cycles=2))

    assert [person.name for step in found.steps for person in step.people] == ["chief", "guard", "chief"]
    assert found.first_cycle == 1


def test_a_chain_holds_for_its_sites_dangers_and_severities() -> None:
    chain = Escalation(
        sites=("depot",), dangers=("fire",), min_severity="warning", steps=(Step(after_minutes=5, notify=("chief",)),)
    )

    assert of(chain, site="depot", danger="fire", severity="warning").steps
    assert not of(chain, site="depot", danger="fire", severity="info").steps
    assert not of(chain, site="depot", danger="gun").steps
    assert not of(chain, danger="fire").steps


def test_of_several_chains_the_first_that_holds_counts() -> None:
    first = Escalation(sites=("depot",), steps=(Step(after_minutes=1, notify=("night",)),), cycles=1)
    second = Escalation(steps=(Step(after_minutes=2, notify=("chief",)),), cycles=1)

    assert of(first, second, site="depot", danger="fire").steps[0].after == minutes(1)
    assert of(first, second).steps[0].after == minutes(2)
