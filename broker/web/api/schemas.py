"""What the API answers: one struct for each thing, named apart from the tables, which may change."""

from datetime import datetime
from typing import Annotated, Self

import msgspec

from broker.incidents import incident as incident_
from broker.incidents import raised_thresholds
from broker.incidents import silence as silence_
from broker.incidents.presence import devices
from broker.notify.message import reason_texts
from broker.retention import erasure
from broker.store.search import Found
from contract.status import CameraCondition, CameraState, Clock, Exposure, Fallback, Ledger

Number = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


class Decision(msgspec.Struct, frozen=True):
    """What one rule made of a caption."""

    rule: str
    outcome: str
    because: str
    incident: int | None


class Caption(msgspec.Struct, frozen=True):
    """One caption."""

    id: int
    site: str
    device: str
    stream: str
    captured_at: datetime
    text: str
    language: str
    translated: str
    """The sentence in the other language; empty where it is not there yet, or cannot be translated."""
    confidence: float
    model: str
    decisions: list[Decision]

    @classmethod
    def of(cls, found: Found) -> Self:
        """Take it from the store."""
        decisions = [
            Decision(made.rule, made.outcome, reason_texts.say(made.because, "en"), made.incident_id)
            for made in found.decisions
        ]
        return cls(
            *(found.id, found.site, found.device, found.stream, found.captured_at, found.text, found.language),
            *(found.translated, found.confidence, found.model, decisions),
        )


class Happening(msgspec.Struct, frozen=True):
    """One entry of an incident's timeline."""

    at: datetime
    kind: str
    detail: str
    by: str
    caption: int | None


class Lost(msgspec.Struct, frozen=True):
    """One device that does not respond."""

    device: str
    cause: str
    """`gone` (it signed off, or was cut off), `quiet`, `no-camera`, `no-picture`, or the condition of its camera."""
    since: datetime
    """When it was last heard or, of one without a camera or a picture, when it last saw."""


class Incident(msgspec.Struct, frozen=True):
    """One danger at one site."""

    id: int
    site: str
    danger: str
    rule: str
    severity: str
    state: str
    opened_at: datetime
    seen_at: datetime
    sightings: int
    cameras: list[str]
    """`device/stream` of each; `device` alone of one that does not respond."""
    caption: int | None
    """The last one; null where devices do not respond."""
    lost: list[Lost]
    """The devices that do not respond now or, once it is over, did not last."""
    acknowledged_at: datetime | None
    acknowledged_by: str
    closed_at: datetime | None
    closed_by: str

    @classmethod
    def of(cls, found: incident_.Incident) -> Self:
        """Take it from the domain."""
        return cls(
            *(found.id, found.site, found.danger, found.rule, found.severity, found.state.value),
            *(found.opened_at, found.seen_at, found.sightings, list(found.cameras), found.caption_id),
            [Lost(one.device, one.cause, one.since) for one in found.lost],
            *(found.acknowledged_at, found.acknowledged_by, found.closed_at, found.closed_by),
        )


class WholeIncident(msgspec.Struct, frozen=True):
    """An incident with everything that happened to it."""

    incident: Incident
    timeline: list[Happening]


class Answered(msgspec.Struct, frozen=True):
    """What an answer to an incident changed."""

    effect: str
    """`done`, `already` (someone else acknowledged it before) or `over` (it was closed before)."""
    incident: Incident


class Silence(msgspec.Struct, frozen=True):
    """Dangers that notify nobody for a while."""

    id: int
    author: str
    reason: str
    matchers: dict[str, list[str]]
    starts_at: datetime
    ends_at: datetime
    ended_by: str

    @classmethod
    def of(cls, found: silence_.Silence) -> Self:
        """Take it from the domain."""
        matchers = {field: list(values) for field, values in found.matchers.items()}
        return cls(found.id, found.author, found.reason, matchers, found.starts_at, found.ends_at, found.ended_by)


class RaisedThreshold(msgspec.Struct, frozen=True):
    """A danger that counts at a camera only above the evidence of a false alarm."""

    id: int
    site: str
    device: str
    stream: str
    danger: str
    """As the model's bundle names it."""
    evidence: float
    """Highest evidence of the false alarm, 0 to 1."""
    incident_id: int
    """The false alarm."""
    raised_at: datetime
    until: datetime
    ended_by: str
    """Who took it back; empty where nobody did."""

    @classmethod
    def of(cls, found: raised_thresholds.RaisedThreshold) -> Self:
        """Take it from the domain."""
        return cls(**{name: getattr(found, name) for name in cls.__struct_fields__})


class Device(msgspec.Struct, frozen=True):
    """The last state of one device."""

    site: str
    device: str
    health: str
    """`online`, `silent` or `offline`."""
    since: datetime
    heard_at: datetime
    reason: str
    version: str
    model: str
    ledger: Ledger
    last_caption: Caption | None
    fallbacks: list[Fallback]
    """What it does not use, working with the last good one."""
    clock: Clock | None
    """What is wrong with its clock, where something is known to be."""
    cameras: list[CameraState]
    """Each of its cameras, where it has several."""
    conditions: list[CameraCondition]
    """What is wrong with the pictures of its cameras, the worst first."""
    exposed: list[Exposure]
    """What does not hold of its isolation: a warning."""
    evidence: bool
    """Whether it keeps sealed pictures of alarms for its owner."""

    @classmethod
    def of(cls, found: devices.Device, health: str, last: Found | None) -> Self:
        """Take it from the store."""
        return cls(
            *(found.site, found.device, health, found.since, found.heard_at, found.reason, found.version),
            *(found.model, found.ledger, Caption.of(last) if last else None, list(found.fallbacks or ()), found.clock),
            *(list(found.cameras or ()), list(found.conditions or ()), list(found.exposed or ()), bool(found.evidence)),
        )


class Captions(msgspec.Struct, frozen=True):
    """A page of captions, newest first."""

    captions: list[Caption]
    before: int | None
    """Ask for the next page with this; null at the end."""


class Incidents(msgspec.Struct, frozen=True):
    """A page of incidents, newest first."""

    incidents: list[Incident]
    before: int | None
    """Ask for the next page with this; null at the end."""


class Forgotten(msgspec.Struct, frozen=True):
    """What was deleted on request, or would be."""

    deleted: bool
    """False where it was only counted."""
    captions: int
    messages: int
    """Text messages that lost their words; counted only where it was deleted."""
    entries: int
    """Entries of timelines that lost theirs."""
    in_use: int
    """Captions that stay for now: an incident is open, or a notification is not sent yet."""

    @classmethod
    def of(cls, found: erasure.Forgotten, *, deleted: bool) -> Self:
        """Take it from the domain."""
        counts = found.counts
        return cls(deleted, counts["captions"], counts["messages"], counts["entries"], found.in_use)


class Problem(msgspec.Struct, frozen=True):
    """Why a request was refused."""

    status: int
    problem: str


__all__ = [
    "Answered",
    "Caption",
    "Captions",
    "Device",
    "Forgotten",
    "Happening",
    "Incident",
    "Incidents",
    "Problem",
    "RaisedThreshold",
    "Silence",
]
