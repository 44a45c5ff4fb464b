"""When the next contact is told."""

from broker.config.broker import Recipient
from broker.incidents.incident import State
from broker.incidents.policy import escalation
from broker.incidents.policy.escalation import Escalate, Finished, Wait
from broker.incidents.policy.routing import Route, Step
from broker.notify.reasons import NoAnswer, Unreachable
from tests.broker.device import NOON
from tests.broker.incidents.policy.cases import incident, minutes

GUARD = Recipient(name="guard", phone="+12025550143")
CHIEF = Recipient(name="chief", phone="+12025550178")
ROUTE = Route((GUARD,), (Step(minutes(5), (CHIEF,)), Step(minutes(5), (GUARD,))), first_cycle=1)
FRESH = incident(stepped_at=NOON)


def test_the_next_contact_is_told_when_nobody_has_answered_in_time() -> None:
    assert escalation.decide(FRESH, ROUTE, now=NOON + minutes(4)) == Wait(NOON + minutes(5))
    assert escalation.decide(FRESH, ROUTE, now=NOON + minutes(5)) == Escalate((CHIEF,), NoAnswer(5))


def test_an_answer_ends_it() -> None:
    answered = incident(stepped_at=NOON, state=State.ACKNOWLEDGED)

    assert escalation.decide(answered, ROUTE, now=NOON + minutes(60)) == Finished(exhausted=False)


def test_after_the_last_step_it_is_exhausted() -> None:
    last = incident(stepped_at=NOON, step=2)

    assert escalation.decide(last, ROUTE, now=NOON + minutes(60)) == Finished(exhausted=True)


def test_without_steps_there_is_nothing_to_exhaust() -> None:
    assert escalation.decide(FRESH, Route((GUARD,)), now=NOON + minutes(60)) == Finished(exhausted=False)


def test_whoever_cannot_be_reached_is_not_waited_for() -> None:
    assert escalation.decide(FRESH, ROUTE, now=NOON, unreached="guard") == Escalate((CHIEF,), Unreachable("guard"))


def test_only_new_people_are_told_without_waiting() -> None:
    second_round = incident(stepped_at=NOON, step=1)

    assert escalation.decide(second_round, ROUTE, now=NOON, unreached="all asleep") == Wait(NOON + minutes(5))


def test_what_nobody_was_told_of_is_not_escalated() -> None:
    untold = incident(notified=None, stepped_at=None)

    assert escalation.decide(untold, ROUTE, now=NOON + minutes(60)) == Finished(exhausted=False)
