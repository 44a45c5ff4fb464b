"""Decides whether the next contact is notified of an incident that nobody has answered."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from broker.config.broker import Recipient
from broker.incidents.incident import Incident, State
from broker.incidents.policy.routing import Route
from broker.notify.reasons import NoAnswer, Unreachable


@dataclass(frozen=True, slots=True)
class Escalate:
    """The next step is due."""

    people: tuple[Recipient, ...]
    reason: NoAnswer | Unreachable


@dataclass(frozen=True, slots=True)
class Wait:
    """The next step is due at a moment."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Finished:
    """There is no next step."""

    exhausted: bool
    """Whether everyone was notified and nobody answered."""


def decide(
    incident: Incident, route: Route, *, now: datetime, unreached: str = "", within: timedelta = timedelta(hours=1)
) -> Escalate | Wait | Finished:
    """Choose what to do about an open incident that people were notified of.

    What they were notified of later than `within` is not escalated. `unreached` names those notified last if none of
    them can be reached now; the next ones are notified at once then.
    """
    if incident.state is not State.OPEN or incident.stepped_at is None:
        return Finished(exhausted=False)
    if incident.notified is not None and incident.notified.late_seconds > within.total_seconds():
        return Finished(exhausted=False)
    if incident.step >= len(route.steps):
        return Finished(exhausted=bool(route.steps))
    step = route.steps[incident.step]
    if unreached and incident.step < route.first_cycle:
        return Escalate(step.people, Unreachable(unreached))
    due_at = incident.stepped_at + step.after
    if now < due_at:
        return Wait(due_at)
    minutes = round((now - incident.stepped_at).total_seconds() / 60)
    return Escalate(step.people, NoAnswer(minutes))
