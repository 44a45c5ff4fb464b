"""An incident: one danger at one site from its first sighting to its end, over all cameras that see it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broker.config.broker import Severity
from broker.notify.message.outage import LostDevice
from broker.rules.reasons import Reasons


class State(StrEnum):
    """The state of an incident."""

    OPEN = "open"
    """Nobody has answered yet."""
    ACKNOWLEDGED = "acknowledged"
    """Someone has taken it over."""
    RESOLVED = "resolved"
    """Over: no camera has seen it for a while, or someone closed it."""
    FALSE_ALARM = "false-alarm"
    """Someone looked, and there was no danger."""

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end."""
        return self in (State.RESOLVED, State.FALSE_ALARM)


class EventKind(StrEnum):
    """Kinds of entries in an incident's timeline."""

    OPENED = "opened"
    CAMERA = "camera"
    """Another camera sees it, or another device is lost."""
    SEVERITY = "severity"
    """It became more severe."""
    ALSO = "also"
    """Another danger was seen beside it, and is covered by it."""
    NOTIFIED = "told"
    """A notification was queued: for whom, and why."""
    DEFERRED = "held"
    """A notification was deferred: for whom, and why."""
    MUTED = "muted"
    """A silence applies to it."""
    ESCALATED = "escalated"
    UNANSWERED = "unanswered"
    """The escalation ended without an answer."""
    ACKNOWLEDGED = "acknowledged"
    NOTE = "note"
    RESOLVED = "resolved"
    FALSE_ALARM = "false-alarm"
    SEEN_AGAIN = "seen-again"
    """The same camera still sees it shortly after someone closed it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a timeline."""

    at: datetime
    kind: EventKind
    detail: Reasons
    by: str = ""
    """Who did it; "" where the service did it."""
    caption_id: int | None = None


@dataclass(frozen=True, slots=True)
class LastNotified:
    """What the last notification said of an incident."""

    severity: Severity
    cameras: tuple[str, ...]
    """`device/stream` of those it named."""
    late_seconds: int = 0
    """How late the sighting arrived; 0 where it was not late."""
    suspected: bool = False
    """Whether the model believed in the danger, and no sentence named it."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident at one moment; every change makes a new object."""

    id: int
    site: str
    danger: str
    """What kind of danger: the rule's `danger`, or its name."""
    rule: str
    """The most severe rule that has seen it."""
    severity: Severity
    state: State
    opened_at: datetime
    seen_at: datetime
    """Its last sighting, by this server's clock."""
    sightings: int
    cameras: tuple[str, ...]
    """`device/stream` of every camera that has seen it, in that order; `device` alone of a lost one."""
    caption_id: int | None
    """The last caption about it, which notifications quote. None where devices are lost: see `lost`."""
    notification_count: int = 0
    """How often people were notified, escalations and the end included; part of each notification's key."""
    notified: LastNotified | None = None
    """None until people were notified."""
    step: int = 0
    """Steps of its escalation that were taken."""
    stepped_at: datetime | None = None
    """When the last of them was, or the first notification."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    acknowledged_how: str = ""
    closed_at: datetime | None = None
    closed_by: str = ""
    """Who closed it; "" where it ended by itself."""
    due_at: datetime | None = None
    """When the scheduler advances it next; None where nothing is due, and once it is over."""
    lost: tuple[LostDevice, ...] = ()
    """The devices that are lost now or, once it is over, were lost last."""

    @property
    def open_key(self) -> str | None:
        """The key that only one open incident can have; None once it is over."""
        return None if self.state.is_over else key(self.site, self.danger)


def key(site: str, danger: str) -> str:
    """Return the key that only one open incident can have: sites and dangers are DNS labels, without a slash."""
    return f"{site}/{danger}"


def with_camera(cameras: Iterable[str], camera: str) -> tuple[str, ...]:
    """Add a camera unless it is there."""
    return tuple(dict.fromkeys((*cameras, camera)))
