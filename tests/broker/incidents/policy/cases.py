"""What the stages are tried on."""

from datetime import timedelta
from typing import Any

from broker.incidents.incident import Incident, LastNotified, State
from tests.broker.device import NOON


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def incident(**changes: Any) -> Incident:
    """Give a critical gun at one camera, notified ten minutes before noon and seen until then."""
    facts: dict[str, Any] = {
        "id": 1,
        "site": "north-gate",
        "danger": "gun",
        "rule": "gun",
        "severity": "critical",
        "state": State.OPEN,
        "opened_at": NOON - minutes(10),
        "seen_at": NOON,
        "sightings": 2,
        "cameras": ("pi-01/cam-0",),
        "caption_id": 2,
        "notification_count": 1,
        "notified": LastNotified("critical", ("pi-01/cam-0",)),
        "stepped_at": NOON - minutes(10),
    }
    return Incident(**(facts | changes))
