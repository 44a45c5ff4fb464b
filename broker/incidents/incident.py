"""An incident: one danger at one site from its first sighting to its end, over all cameras that see it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broker.config.broker import Severity
from broker.notify.message.outage import LostDevice
from broker.rules.reasons import Reasons


class State(StrEnum):
    """How an incident stands."""

    OPEN = "open"
    """Nobody has answered yet."""
    ACKNOWLEDGED = "acknowledged"
    """Someone takes care of it."""
    RESOLVED = "resolved"
    """Over: no camera has seen it for a while, or someone said so."""
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
    """Another camera sees it, or another device is missed."""
    SEVERITY = "severity"
    """It became more serious."""
    ALSO = "also"
    """Another danger was seen beside it and is told of as this one."""
    TOLD = "told"
    """A text message was written, to whom and why."""
    HELD = "held"
    """Someone's text message waits, until when and why."""
    MUTED = "muted"
    """A silence or a greater danger keeps it from being told."""
    ESCALATED = "escalated"
    UNANSWERED = "unanswered"
    """The escalation came to its end, and nobody answered."""
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
    """Who did it; "" where the service did."""
    caption_id: int | None = None


@dataclass(frozen=True, slots=True)
class LastNotified:
    """What the last telling said of an incident."""

    severity: Severity
    cameras: tuple[str, ...]
    """`device/stream` of those it named."""


@dataclass(frozen=True, slots=True)
class Incident:
    """How one incident stands. Every change makes a new one."""

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
    """`device/stream` of every camera that has seen it, first one first; `device` alone of one that is missed."""
    caption_id: int | None
    """The caption that an alert of it tells of: the last one. None where no camera said anything: see `lost`."""
    tellings: int = 0
    """How often people were told, escalations and the end included: names the intents."""
    told: LastNotified | None = None
    """None until people were told."""
    step: int = 0
    """Steps of its escalation that were taken."""
    stepped_at: datetime | None = None
    """When the last of them was, or the first telling."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    acknowledged_how: str = ""
    closed_at: datetime | None = None
    closed_by: str = ""
    """Who closed it; "" where it ended by itself."""
    due_at: datetime | None = None
    """When it is looked at next without being seen; None where nothing is due, and once it is over."""
    lost: tuple[LostDevice, ...] = ()
    """The devices that are missed now or, once it is over, were last."""

    @property
    def open_key(self) -> str | None:
        """Name the place that only one open incident can have."""
        return None if self.state.is_over else key(self.site, self.danger)


def key(site: str, danger: str) -> str:
    """Name the place that only one open incident can have: sites and dangers are DNS labels, without a slash."""
    return f"{site}/{danger}"


def with_camera(cameras: Iterable[str], camera: str) -> tuple[str, ...]:
    """Add a camera unless it is there."""
    return tuple(dict.fromkeys((*cameras, camera)))
