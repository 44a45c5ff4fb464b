"""Releases deferred notifications: one as it is, several as one digest."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from broker.config.broker import Recipient
from broker.config.section import SEVERITIES
from broker.incidents import store as incidents
from broker.incidents.alerting import Notifier, is_news
from broker.notify import deferred as store
from broker.notify import notifications
from broker.notify.notifications import Intent, Kind, Notification
from broker.notify.reasons import Gathered

DESCRIBED: Final = ("lost", "lost_count", "sole_camera")
"""Facts that a digest takes over from the notification that it describes."""


def release(
    connection: Connection, name: str, recipients: Sequence[Recipient], notifier: Notifier, *, now: datetime
) -> None:
    """Release what is deferred for a recipient, or defer it further where it still may not be sent."""
    person = next((person for person in recipients if person.name == name), None)
    waiting = store.of(connection, name)
    if not waiting:
        return
    if person is None:
        store.give_up(connection, name, error="no recipient of this name is left in broker.yaml")
        return
    severity = max((one.severity for one in waiting), key=SEVERITIES.index)
    urgent = any(_is_urgent(connection, person, one) for one in waiting)
    deferral = notifier.deferral(connection, person, severity, now=now, urgent=urgent)
    if deferral is not None:
        store.keep_deferred(connection, name, until=deferral.until, reason=deferral.reason)
    elif len(waiting) == 1:
        store.release(connection, waiting[0].id, at=now)
    else:
        _gather(connection, person, waiting, now)


def _is_urgent(connection: Connection, person: Recipient, waiting: Notification) -> bool:
    if waiting.kind is Kind.RESOLVED or waiting.incident_id is None:
        return False
    return is_news(connection, person, waiting.incident_id, waiting.severity)


def _ended(connection: Connection, waiting: Sequence[Notification]) -> frozenset[int]:
    """Return the incidents of notifications that are over by now."""
    numbers = {one.incident_id for one in waiting if one.incident_id is not None}
    found = (incidents.get(connection, number) for number in sorted(numbers))
    return frozenset(one.id for one in found if one is not None and one.state.is_over)


def _gather(connection: Connection, person: Recipient, waiting: Sequence[Notification], now: datetime) -> None:
    """Queue one digest in place of many notifications; it describes the most severe, and counts the incidents."""
    ended = _ended(connection, waiting)
    worst = max(waiting, key=lambda one: (SEVERITIES.index(one.severity), one.incident_id not in ended, one.id))
    described = {name: worst.facts[name] for name in DESCRIBED if name in worst.facts}
    intent = Intent(
        key=f"digest/{waiting[0].id}/{person.name}",
        kind=Kind.DIGEST,
        incident_id=None,
        caption_id=notifications.caption_of(connection, worst.id),
        rule=worst.rule,
        site=worst.site,
        severity=worst.severity,
        reasons=(Gathered(len(waiting)), *waiting[0].reasons),
        facts=described
        | {
            "count": len({one.incident_id or -one.id for one in waiting}),
            "ended": len(ended),
            "described_ended": worst.incident_id in ended,
            "since": waiting[0].created_at.isoformat(),
            "items": _items(waiting),
        },
    )
    digest_id = notifications.add(connection, intent, to=person, at=now)
    store.gather(connection, person.name, digest_id=digest_id)


def _items(waiting: Sequence[Notification]) -> list[dict[str, Any]]:
    """Count messages by site and rule, the most frequent first."""
    counted = Counter((notification.site, notification.rule) for notification in waiting)
    return [{"site": site, "rule": rule, "count": count} for (site, rule), count in counted.most_common()]
