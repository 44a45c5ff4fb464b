"""Queues notifications of an incident, and defers those that have to wait for their recipient."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from broker.config.broker import Recipient
from broker.config.section import Severity
from broker.config.sites import Places
from broker.incidents import store
from broker.incidents.incident import Event, EventKind, Incident, LastNotified
from broker.notify import contacts, delivery_window, notifications, opt_out
from broker.notify.delivery_window import HOUR, Deferral
from broker.notify.notifications import Intent, Kind
from broker.notify.reasons import NotificationFor, OptedOut, SeveralEnded
from broker.rules.reasons import Reasons
from broker.store import captions

MOST_NAMED: Final = 20
"""Lost devices that a notification keeps by name: a text has room for a few, and a site may have thousands."""


MOST_ENDS: Final = 3
"""Notifications of ends that someone gets one by one within `ENDS_WITHIN`; further ones are gathered."""

ENDS_WITHIN: Final = timedelta(minutes=10)

GATHER_ENDS: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why people are notified."""

    kind: Kind
    reasons: Reasons
    facts: dict[str, Any] = field(default_factory=dict)
    """What the text says beyond what every notification of an incident says."""
    late_seconds: int | None = None
    """How late the sighting arrived; None where no sighting is the occasion."""
    gather: Deferral | None = None
    """Until when a late notification waits for others."""
    suspected: bool | None = None
    """Whether the model believes in the danger and the sentence does not name it; None where no sighting is the
    occasion."""


@dataclass(frozen=True, slots=True)
class Notifier:
    """Queues notifications inside the caller's transaction, by the clock of each recipient."""

    places: Places

    def notify(
        self,
        connection: Connection,
        incident: Incident,
        people: Sequence[Recipient],
        occasion: Occasion,
        *,
        now: datetime,
    ) -> Incident:
        """Queue one notification for each of the people, and return the incident as it is after that."""
        number = incident.notification_count + 1
        notified: list[str] = []
        occasion = replace(occasion, facts=occasion.facts | _camera(connection, incident))
        stopped = contacts.stopped(connection)
        for person in people:
            if person.name in stopped:
                intent = _intent(incident, occasion, f"incident/{incident.id}/{number}/{person.name}", None)
                opt_out.give_up(connection, intent, person, at=now)
                detail = NotificationFor(occasion.kind.value, person.name, (OptedOut(),))
                store.add_event(connection, incident.id, Event(now, EventKind.DEFERRED, (detail,)))
                continue
            urgent = occasion.kind is not Kind.RESOLVED and is_news(connection, person, incident.id, incident.severity)
            deferral = self.deferral(connection, person, incident.severity, now=now, urgent=urgent) or occasion.gather
            deferral = deferral or _gather_ends(connection, person, occasion.kind, now)
            intent = _intent(incident, occasion, f"incident/{incident.id}/{number}/{person.name}", deferral)
            notifications.add(
                connection, intent, to=person, at=now, deferred_until=deferral.until if deferral else None
            )
            if deferral is None:
                notified.append(person.name)
            else:
                detail = NotificationFor(occasion.kind.value, person.name, (deferral.reason,))
                store.add_event(connection, incident.id, Event(now, EventKind.DEFERRED, (detail,)))
        if notified:
            detail = NotificationFor(occasion.kind.value, ", ".join(notified), occasion.reasons)
            event = Event(now, EventKind.NOTIFIED, (detail,), caption_id=incident.caption_id)
            store.add_event(connection, incident.id, event)
        # A notification that it is over changes nothing about what people know of the danger.
        last = incident.notified if occasion.kind is Kind.RESOLVED else _last_notified(incident, occasion)
        return replace(incident, notification_count=number, notified=last)

    def deferral(
        self, connection: Connection, person: Recipient, severity: Severity, *, now: datetime, urgent: bool
    ) -> Deferral | None:
        """Return why and until when a notification to someone is deferred; None where it may be sent now.

        The hourly limit does not defer an `urgent` one.
        """
        contact = contacts.all_known(connection).get(person.name)
        recent = () if urgent else notifications.lately(connection, person.name, since=now - HOUR)
        local = self.places.by_clock_of(person, now)
        return delivery_window.decide(person, contact, severity, recent=recent, local=local)


def _last_notified(incident: Incident, occasion: Occasion) -> LastNotified:
    """Return what people know after a notification; what its occasion does not say stays as it was."""
    before = incident.notified or LastNotified(incident.severity, incident.cameras)
    late_seconds = before.late_seconds if occasion.late_seconds is None else occasion.late_seconds
    suspected = before.suspected if occasion.suspected is None else occasion.suspected
    return LastNotified(incident.severity, incident.cameras, late_seconds, suspected)


def _gather_ends(connection: Connection, person: Recipient, kind: Kind, now: datetime) -> Deferral | None:
    """Return until when a notification that an incident is over waits for others; None for the first few."""
    if kind is not Kind.RESOLVED:
        return None
    count = notifications.ends_since(connection, person.name, since=now - ENDS_WITHIN)
    return Deferral(now + GATHER_ENDS, SeveralEnded(count)) if count >= MOST_ENDS else None


def is_news(connection: Connection, person: Recipient, incident_id: int, severity: Severity) -> bool:
    """Return whether an incident is critical and this person was not yet notified of that."""
    return severity == "critical" and not notifications.knows(connection, person.name, incident_id, severity)


def _intent(incident: Incident, occasion: Occasion, key: str, deferral: Deferral | None) -> Intent:
    return Intent(
        key=key,
        kind=occasion.kind,
        incident_id=incident.id,
        caption_id=incident.caption_id,
        rule=incident.rule,
        site=incident.site,
        severity=incident.severity,
        reasons=occasion.reasons if deferral is None else (*occasion.reasons, deferral.reason),
        facts={
            "opened_at": incident.opened_at.isoformat(),
            "cameras": list(incident.cameras),
            "sightings": incident.sightings,
            **_lost(incident),
            **occasion.facts,
        },
    )


def _camera(connection: Connection, incident: Incident) -> dict[str, Any]:
    """Return whether the device has no other camera, which a text then does not name."""
    if incident.caption_id is None or not captions.is_sole_camera(connection, incident.caption_id):
        return {}
    return {"sole_camera": True}


def _lost(incident: Incident) -> dict[str, Any]:
    """Return what a text says of lost devices."""
    if not incident.lost:
        return {}
    return {"lost": msgspec.to_builtins(incident.lost[:MOST_NAMED]), "lost_count": len(incident.lost)}
