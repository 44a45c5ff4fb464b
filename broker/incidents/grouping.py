"""Groups what rules find in captions into incidents, and queues notifications of these."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from broker.config.broker import Recipient
from broker.config.incidents import Incidents
from broker.config.section import SEVERITIES, Severity, at_least
from broker.config.sites import Places
from broker.incidents import incident as incident_
from broker.incidents import silence, store
from broker.incidents.alerting import Notifier, Occasion
from broker.incidents.incident import Event, EventKind, Incident, State
from broker.incidents.policy import cooldown, inhibition, joining, routing
from broker.incidents.policy.cooldown import Timing, Verdict
from broker.incidents.policy.routing import Route
from broker.incidents.silence import Subject
from broker.notify import notifications, reasons
from broker.notify.delivery_window import Deferral
from broker.notify.message import age, reason_texts
from broker.notify.notifications import Kind
from broker.notify.reasons import (
    AlsoSeen,
    ClosedBefore,
    Inhibited,
    Late,
    NoRecipient,
    NotifiedAs,
    OpenedBy,
    SeenBy,
    SeverityRaised,
)
from broker.rules.compiler import Rule
from broker.rules.engine import Finding
from broker.rules.reasons import HazardBelieved, Reasons, SeenTooRarely
from broker.store import captions
from broker.store.captions import Decision, Stored
from broker.store.outcome import Outcome

GATHER: Final = timedelta(minutes=1)
"""A device that is online again empties its outbox; the notifications of what is too old go as one digest."""

KINDS = {Outcome.FIRST: Kind.FIRST, Outcome.UPDATE: Kind.UPDATE, Outcome.REPEAT: Kind.REPEAT}


@dataclass(frozen=True, slots=True)
class Sighting:
    """One danger as one camera sees it, or one lost device, at a moment."""

    site: str
    device: str
    stream: str
    """"" where it is the whole device."""
    rule: Rule
    reasons: Reasons
    now: datetime
    caption_id: int | None = None
    """The caption that says so; None for a lost device."""
    late_seconds: int = 0
    """How late the caption arrived; 0 where it was not late."""

    @property
    def camera(self) -> str:
        """Return `device/stream`, or the device alone."""
        return f"{self.device}/{self.stream}" if self.stream else self.device

    @property
    def is_suspected(self) -> bool:
        """Return whether only the model believes in the danger, and the sentence does not name it."""
        return isinstance(next(iter(self.reasons), None), HazardBelieved)

    @property
    def subject(self) -> Subject:
        """Return what a silence may be about."""
        return Subject(self.site, self.device, self.stream, self.rule.danger, self.rule.name, self.rule.severity)


@dataclass(frozen=True, slots=True)
class Queued:
    """Notifications that were queued for one finding."""

    rule: str
    site: str
    incident: int
    people: int
    reasons: Reasons

    @property
    def as_fields(self) -> dict[str, object]:
        """The fields of its log line."""
        facts = {"rule": self.rule, "site": self.site, "incident": self.incident, "people": self.people}
        return facts | {"reason": reason_texts.say(self.reasons, "en")}


@dataclass(frozen=True, slots=True)
class Grouper:
    """Works inside the caller's transaction: captions, decisions, incidents and notifications are written together."""

    recipients: Sequence[Recipient]
    settings: Incidents
    places: Places

    def group(
        self, connection: Connection, caption: Stored, findings: Sequence[Finding], *, now: datetime
    ) -> list[Queued]:
        """Record what follows from every finding in a caption, the most severe first."""
        made: list[Queued] = []
        leading: Incident | None = None
        for finding in sorted(findings, key=lambda finding: -SEVERITIES.index(finding.rule.severity)):
            event = caption.event
            place = (event.site, event.device, event.stream)
            late = age.late_seconds(event.captured_at, now)
            sighting = Sighting(*place, finding.rule, finding.reasons, now, caption.id, late)
            verdict, incident = self._judge(connection, caption, sighting, finding, leading)
            if verdict.outcome.notifies and incident is not None:
                made.append(self.notify(connection, sighting, verdict, incident))
                incident = store.get(connection, incident.id)
            if leading is None and incident is not None and incident.notified is not None:
                leading = incident
            because = reasons.encode((*finding.reasons, *verdict.reasons))
            number = incident.id if incident else None
            decision = Decision(finding.rule.name, verdict.outcome.value, because, number)
            captions.add_decision(connection, caption, decision, at=now)
        return made

    def route(self, incident: Incident) -> Route:
        """Return who is notified of an incident as it is now."""
        return self._route(incident.site, incident.danger, incident.severity)

    def people(self, connection: Connection, incident: Incident, kind: Kind) -> tuple[Recipient, ...]:
        """Return whom a notification goes to at once: an update also to those whom an escalation has reached."""
        first = self.route(incident).first
        if kind is not Kind.UPDATE:
            return first
        known = notifications.notified_of(connection, incident.id)
        return (*first, *(one for one in self.recipients if one.name in known and one not in first))

    def timing(self, cool: timedelta) -> Timing:
        """Return the pauses after a notification, where the rule's cooldown is `cool`."""
        settings = self.settings
        return Timing(
            cooldown=cool,
            update=timedelta(minutes=settings.update_minutes),
            acknowledged=max(cool, timedelta(minutes=settings.repeat_acknowledged_minutes)),
        )

    def _judge(
        self, connection: Connection, caption: Stored, sighting: Sighting, finding: Finding, leading: Incident | None
    ) -> tuple[Verdict, Incident | None]:
        """Decide what follows from one finding, and return the incident that it belongs to."""
        if not finding.fired:
            return Verdict(Outcome.CANCELLED), None
        if missing := _missing(connection, caption, sighting.rule):
            return Verdict(Outcome.NOT_YET, (missing,)), None
        incident = self._current(connection, sighting)
        if incident is not None and leading is not None and incident.id == leading.id:
            return Verdict(Outcome.NOTIFIED_AS, (NotifiedAs(leading.rule),)), leading
        if incident is None:
            if (hidden := self._hidden(connection, sighting, leading)) is not None:
                return hidden
            incident = self.open(connection, sighting)
        else:
            incident = self._join(connection, sighting, incident)
        return self.choose(connection, sighting, incident), incident

    def _current(self, connection: Connection, sighting: Sighting) -> Incident | None:
        """Return the open incident that a sighting belongs to: of its danger, or of one that it joins."""
        rule = sighting.rule
        own = store.open_at(connection, sighting.site, rule.danger)
        if own is not None or not joining.others(self.settings.join, rule.danger):
            return own
        other = joining.find(
            self.settings.join,
            store.now_open(connection, sighting.site),
            danger=rule.danger,
            camera=sighting.camera,
            severity=rule.severity,
        )
        if other is None or not self._covers(other, rule):
            return None
        self._also(connection, other, sighting)
        return store.get(connection, other.id, lock=True)

    def _hidden(
        self, connection: Connection, sighting: Sighting, leading: Incident | None
    ) -> tuple[Verdict, Incident] | None:
        """Return why a danger gets no incident of its own: another one covers it, or someone has just closed one."""
        rule = sighting.rule
        if leading is not None and self._covers(leading, rule):
            self._also(connection, leading, sighting)
            return Verdict(Outcome.NOTIFIED_AS, (NotifiedAs(leading.rule),)), leading
        if (greater := self.inhibitor(connection, sighting)) is not None:
            return Verdict(Outcome.INHIBITED, (Inhibited(greater.danger, greater.id),)), greater
        names = (rule.danger, *joining.others(self.settings.join, rule.danger))
        closed = (store.last_closed(connection, sighting.site, name) for name in names)
        last = next((one for one in closed if one is not None and _was_just_closed(one, sighting)), None)
        if last is not None:
            store.note_once(connection, last.id, Event(sighting.now, EventKind.SEEN_AGAIN, (SeenBy(sighting.camera),)))
            reason = ClosedBefore(last.closed_by, last.id, last.state.value)
            return Verdict(Outcome.CLOSED, (reason,)), last
        return None

    def inhibitor(self, connection: Connection, sighting: Sighting) -> Incident | None:
        """Return the greater danger that inhibits a sighting, and note the sighting there."""
        rule = sighting.rule
        beside = store.now_open(connection, sighting.site)
        greater = inhibition.find(self.settings.inhibit, beside, danger=rule.danger, severity=rule.severity)
        found = next((one for one in greater if self._covers(one, rule)), None)
        if found is not None:
            self._also(connection, found, sighting)
        return found

    def is_inhibited(self, connection: Connection, incident: Incident) -> bool:
        """Return whether people know of a greater danger that inhibits further notifications of an open incident."""
        beside = store.now_open(connection, incident.site)
        greater = inhibition.find(self.settings.inhibit, beside, danger=incident.danger, severity=incident.severity)
        own = self._route(incident.site, incident.danger, incident.severity)
        return any(own.names <= self.route(one).names for one in greater)

    def _covers(self, incident: Incident, rule: Rule) -> bool:
        """Return whether everyone who would be notified of a rule is notified of an incident."""
        own = self._route(incident.site, rule.danger, rule.severity)
        return own.names <= self.route(incident).names and at_least(incident.severity, rule.severity)

    def _route(self, site: str, danger: str, severity: Severity) -> Route:
        return routing.of(self.recipients, self.settings.escalation, site=site, danger=danger, severity=severity)

    def _also(self, connection: Connection, incident: Incident, sighting: Sighting) -> None:
        detail = AlsoSeen(sighting.rule.danger, sighting.camera)
        event = Event(sighting.now, EventKind.ALSO, (detail,), caption_id=sighting.caption_id)
        store.note_once(connection, incident.id, event)

    def open(self, connection: Connection, sighting: Sighting) -> Incident:
        """Open an incident, or return the one that another writer has opened at the same moment."""
        made = store.start(
            connection,
            Incident(
                id=0,
                site=sighting.site,
                danger=sighting.rule.danger,
                rule=sighting.rule.name,
                severity=sighting.rule.severity,
                state=State.OPEN,
                opened_at=sighting.now,
                seen_at=sighting.now,
                sightings=1,
                cameras=(sighting.camera,),
                caption_id=sighting.caption_id,
                due_at=sighting.now + timedelta(minutes=self.settings.resolve_minutes),
            ),
        )
        detail = OpenedBy(sighting.rule.name, sighting.camera, sighting.reasons)
        store.add_event(
            connection, made.id, Event(sighting.now, EventKind.OPENED, (detail,), caption_id=sighting.caption_id)
        )
        return made

    def _join(self, connection: Connection, sighting: Sighting, incident: Incident) -> Incident:
        """Add a sighting to an open incident."""
        rule, now = sighting.rule, sighting.now
        cameras = incident_.with_camera(incident.cameras, sighting.camera)
        more = not at_least(incident.severity, rule.severity)
        if cameras != incident.cameras:
            event = Event(now, EventKind.CAMERA, (SeenBy(sighting.camera),), caption_id=sighting.caption_id)
            store.add_event(connection, incident.id, event)
        if more:
            detail = SeverityRaised(rule.severity, sighting.reasons)
            event = Event(now, EventKind.SEVERITY, (detail,), caption_id=sighting.caption_id)
            store.add_event(connection, incident.id, event)
        joined = replace(
            incident,
            seen_at=now,
            sightings=incident.sightings + 1,
            cameras=cameras,
            caption_id=sighting.caption_id,
            severity=rule.severity if more else incident.severity,
            rule=rule.name if more else incident.rule,
        )
        store.save(connection, joined)
        return joined

    def choose(self, connection: Connection, sighting: Sighting, incident: Incident) -> Verdict:
        """Decide whether people are notified now of an incident that is seen."""
        now = sighting.now
        matching = silence.find(silence.in_force(connection, at=now), sighting.subject, at=now)
        if matching is not None:
            store.note_once(connection, incident.id, Event(now, EventKind.MUTED, (matching.as_reason,)))
            return Verdict(Outcome.SILENCED, (matching.as_reason,))
        if not self.route(incident).first:
            return Verdict(Outcome.NOBODY, (NoRecipient(),))
        if incident.notified is not None and (greater := self.inhibitor(connection, sighting)) is not None:
            return Verdict(Outcome.INHIBITED, (Inhibited(greater.danger, greater.id),))
        notice = notifications.send_status(connection, incident.id)
        timing = self.timing(sighting.rule.cooldown)
        verdict = cooldown.decide(
            incident, notice, now=now, timing=timing, seen=not sighting.late_seconds, named=not sighting.is_suspected
        )
        if verdict.look_at is not None:
            due_at = min(incident.due_at or verdict.look_at, verdict.look_at)
            store.save(connection, replace(incident, due_at=due_at))
        return verdict

    def notify(self, connection: Connection, sighting: Sighting, verdict: Verdict, incident: Incident) -> Queued:
        """Queue the notifications of an incident that go out at once."""
        people = self.people(connection, incident, KINDS[verdict.outcome])
        gather = self._gather(sighting)
        occasion = Occasion(
            KINDS[verdict.outcome],
            verdict.reasons,
            late_seconds=sighting.late_seconds,
            gather=gather,
            suspected=sighting.is_suspected,
        )
        notified = Notifier(self.places).notify(connection, incident, people, occasion, now=sighting.now)
        # The first notification starts the escalation, and so does one that the incident became more severe.
        last = incident.notified
        grew = last is None or last.late_seconds > 0 or not at_least(last.severity, incident.severity)
        if incident.state is State.OPEN and grew:
            notified = replace(notified, step=0, stepped_at=sighting.now)
        # The scheduler advances it at once: an escalation step may be due already.
        store.save(connection, replace(notified, due_at=sighting.now))
        reasons_ = (*sighting.reasons, *verdict.reasons)
        return Queued(sighting.rule.name, sighting.site, incident.id, len(people), reasons_)

    def _gather(self, sighting: Sighting) -> Deferral | None:
        """Return until when the notification of a very late sighting waits for others of the same outbox."""
        if not self.is_stale(sighting.late_seconds):
            return None
        return Deferral(sighting.now + GATHER, Late(sighting.late_seconds // 60))

    def is_stale(self, late_seconds: int) -> bool:
        """Return whether a sighting arrived too late to be escalated."""
        return late_seconds > self.settings.escalate_within_minutes * 60


def _missing(connection: Connection, caption: Stored, rule: Rule) -> SeenTooRarely | None:
    """Return why a danger was not seen often enough yet; None where it was."""
    need = rule.need
    if need.times <= 1:
        return None
    before = captions.seen_before(connection, caption, rule.name, within=need.within, limit=need.of - 1)
    return need.missing(before)


def _was_just_closed(last: Incident, sighting: Sighting) -> bool:
    """Return whether someone closed what this camera sees, within a cooldown, and it is not more severe now."""
    if not last.closed_by or last.closed_at is None or sighting.camera not in last.cameras:
        return False
    recent = sighting.now - last.closed_at < sighting.rule.cooldown
    return recent and at_least(last.severity, sighting.rule.severity)
