"""Advances one incident that is due: notifies the next contact, sends what was put off, or closes it."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from broker.config.broker import Recipient
from broker.incidents import silence, store
from broker.incidents.alerting import Notifier, Occasion
from broker.incidents.grouping import KINDS, Grouper
from broker.incidents.incident import Event, EventKind, Incident, State
from broker.incidents.policy import auto_resolve, cooldown, escalation
from broker.incidents.policy.auto_resolve import Lasting, Over
from broker.incidents.policy.cooldown import Verdict
from broker.incidents.policy.escalation import Escalate, Finished, Wait
from broker.incidents.silence import Silence, Subject
from broker.notify import absences, contacts, notifications
from broker.notify.notifications import Kind, Notification, SendStatus
from broker.notify.notifications import State as Sent
from broker.notify.reasons import ClosedAs, DevicesRecovered, EscalatedTo, NobodyAnswered, NoLongerSeen
from broker.rules.compiler import Rulebook
from broker.rules.reasons import Reason

log = logging.getLogger(__name__)

DEFAULT_COOLDOWN: Final = timedelta(minutes=10)
"""Of an incident whose rule was removed from the file since."""

REACHED: Final = (Sent.WAITING, Sent.SENDING, Sent.DOUBT, Sent.SENT, Sent.DIGESTED)
"""States of notifications that have reached their recipient, or are about to."""

AT_ONCE: Final = timedelta(seconds=1)
"""Between two escalation steps that reach nobody: each has a commit of its own."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Works inside the caller's transaction."""

    connection: Connection
    rulebook: Rulebook
    grouper: Grouper
    now: datetime

    def advance(self, incident: Incident) -> Incident:
        """Do what is due, and return the incident as it is then, with the time at which it is due next."""
        if incident.state.is_over:
            return self._notify_end(incident)
        muted = self._muted(incident)
        if muted is not None:
            event = Event(self.now, EventKind.MUTED, (muted.as_reason,))
            store.note_once(self.connection, incident.id, event)
            return self._end_or_wait(incident, [muted.ends_at], escalating=False)
        if self.grouper.is_inhibited(self.connection, incident):
            return self._end_or_wait(incident, [], escalating=False)
        due: list[datetime] = []
        if incident.notified is not None:
            incident, later = self._catch_up(incident)
            due += later
        incident, next_step = self._escalate(incident)
        if isinstance(next_step, Wait):
            due.append(next_step.until)
        return self._end_or_wait(incident, due, escalating=not isinstance(next_step, Finished))

    def _catch_up(self, incident: Incident) -> tuple[Incident, list[datetime]]:
        """Notify people of what was put off, or return when that is due."""
        verdict = self._verdict(incident, notifications.send_status(self.connection, incident.id))
        if verdict.outcome.notifies:
            people = self.grouper.people(self.connection, incident, KINDS[verdict.outcome])
            return self._notify(incident, people, Occasion(KINDS[verdict.outcome], verdict.reasons)), []
        return incident, [] if verdict.look_at is None else [verdict.look_at]

    def _verdict(self, incident: Incident, notice: SendStatus) -> Verdict:
        timing = self.grouper.timing(self._cooldown(incident))
        return cooldown.decide(incident, notice, now=self.now, timing=timing, seen=False)

    def _cooldown(self, incident: Incident) -> timedelta:
        rules = (rule.cooldown for rule in self.rulebook.rules if rule.name == incident.rule)
        return next(rules, DEFAULT_COOLDOWN)

    def _muted(self, incident: Incident) -> Silence | None:
        """Return the silence that ends first, where one applies to every camera of an incident; else None."""
        holding = silence.in_force(self.connection, at=self.now)
        found: list[Silence] = []
        for camera in incident.cameras:
            device, _, stream = camera.partition("/")
            subject = Subject(incident.site, device, stream, incident.danger, incident.rule, incident.severity)
            about = silence.find(holding, subject, at=self.now)
            if about is None:
                return None
            found.append(about)
        return min(found, key=lambda one: one.ends_at, default=None)

    def _escalate(self, incident: Incident) -> tuple[Incident, Escalate | Wait | Finished]:
        """Take the next step if it is due, and return what follows."""
        step = self._next_step(incident)
        if isinstance(step, Finished) and step.exhausted:
            event = Event(self.now, EventKind.UNANSWERED, (NobodyAnswered(),))
            store.note_once(self.connection, incident.id, event)
        if not isinstance(step, Escalate):
            return incident, step
        names = ", ".join(person.name for person in step.people)
        event = Event(self.now, EventKind.ESCALATED, (EscalatedTo(names, (step.reason,)),))
        store.add_event(self.connection, incident.id, event)
        log.warning("escalated", extra={"incident": incident.id, "people": names})
        notified = self._notify(incident, step.people, Occasion(Kind.ESCALATION, (step.reason,)))
        incident = replace(notified, step=incident.step + 1, stepped_at=self.now)
        after = self._next_step(incident)
        return incident, Wait(self.now + AT_ONCE) if isinstance(after, Escalate) else after

    def _next_step(self, incident: Incident) -> Escalate | Wait | Finished:
        route = self.grouper.route(incident)
        within = timedelta(minutes=self.grouper.settings.escalate_within_minutes)
        return escalation.decide(incident, route, now=self.now, unreached=self._unreached(incident), within=within)

    def _unreached(self, incident: Incident) -> str:
        """Name those notified since the last step if none of them can be reached now; "" where someone may be.

        An update that waits for its recipient takes nothing back: the notification before has reached them.
        """
        since = incident.stepped_at or incident.opened_at
        notified = notifications.of_incident(self.connection, incident.id)
        sent = [one for one in notified if one.created_at >= since]
        grouper = self.grouper
        gone = contacts.stopped(self.connection) | absences.names(
            self.connection, grouper.recipients, grouper.places, at=self.now
        )
        if not sent or any(one.state in REACHED and one.recipient not in gone for one in sent):
            return ""
        return ", ".join(dict.fromkeys(one.recipient for one in sent))

    def _end_or_wait(self, incident: Incident, due: list[datetime], *, escalating: bool) -> Incident:
        if incident.lost:  # The presence tracker closes it.
            return replace(incident, due_at=min((moment for moment in due if moment > self.now), default=None))
        notice = notifications.send_status(self.connection, incident.id)
        quiet = timedelta(minutes=self.grouper.settings.resolve_minutes)
        lasting = Lasting(quiet, self._cooldown(incident))
        decision = auto_resolve.decide(incident, notice, lasting, now=self.now, escalating=escalating)
        if isinstance(decision, Over):
            store.add_event(self.connection, incident.id, Event(self.now, EventKind.RESOLVED, (decision.reason,)))
            return self._notify_end(replace(incident, state=State.RESOLVED, closed_at=self.now))
        return replace(incident, due_at=min(moment for moment in (*due, decision.until) if moment > self.now))

    def _notify_end(self, incident: Incident) -> Incident:
        """Notify those who know of an incident that it is over, except the person who closed it."""
        sent = notifications.of_incident(self.connection, incident.id)
        if incident.notified and self.grouper.is_stale(incident.notified.late_seconds) and not incident.closed_by:
            return replace(incident, due_at=None)  # It was over long before anyone was notified.
        if not incident.closed_by and self.grouper.is_inhibited(self.connection, incident):
            return replace(incident, due_at=None)  # "Smoke is over" would be read as the end of the fire.
        people = [person for person in self.grouper.recipients if _is_to_hear_the_end(person, incident, sent)]
        if people:
            reason: Reason = DevicesRecovered() if incident.lost else NoLongerSeen()
            if incident.closed_by:
                reason = ClosedAs(incident.closed_by, incident.state.value)
            incident = self._notify(incident, people, Occasion(Kind.RESOLVED, (reason,), _end_of(incident)))
        return replace(incident, due_at=None)

    def _notify(
        self, incident: Incident, people: tuple[Recipient, ...] | list[Recipient], occasion: Occasion
    ) -> Incident:
        return Notifier(self.grouper.places).notify(self.connection, incident, people, occasion, now=self.now)


def _end_of(incident: Incident) -> dict[str, object]:
    """Return what a text says of the end of an incident."""
    facts: dict[str, object] = {"state": incident.state.value, "by": incident.closed_by}
    if incident.closed_by or incident.lost or incident.closed_at is None:
        return facts
    minutes = round((incident.closed_at - incident.seen_at).total_seconds() / 60)
    return facts | {"unseen_minutes": minutes, "unanswered": not incident.acknowledged_by}


def _is_to_hear_the_end(person: Recipient, incident: Incident, sent: list[Notification]) -> bool:
    """Return whether someone who was notified has still to be notified that it is over."""
    unanswered = incident.severity == "critical" and not incident.acknowledged_by and not incident.closed_by
    if person.name == incident.closed_by or not (person.notify_when_resolved or unanswered):
        return False
    own = [notification for notification in sent if notification.recipient == person.name]
    notified = any(notification.state in REACHED for notification in own)
    return notified and not any(notification.kind is Kind.RESOLVED for notification in own)
