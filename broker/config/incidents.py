"""The parts `incidents` and `presence` of `broker.yaml`: repetition, escalation, inhibition, and missing devices."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from broker.config.section import Minutes, Section, Severity
from contract import wire
from contract.caption import Name
from contract.status import Condition

Patience = Annotated[float, Meta(ge=0, le=86400)]
"""At most a day."""

_name: Final = re.compile(wire.NAME)


class Step(Section, frozen=True, kw_only=True):
    """Recipients that are notified when nobody acknowledges."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"tell": "notify"}

    after_minutes: Minutes
    """Time without an acknowledgement since the step before, or since the first notification."""
    notify: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Names of recipients. They are not notified before this step."""


class Escalation(Section, frozen=True, kw_only=True):
    """Steps of notification until someone acknowledges."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"rounds": "cycles"}

    sites: tuple[Name, ...] = ()
    dangers: tuple[Name, ...] = ()
    """Sites and dangers that it applies to; empty for all."""
    min_severity: Severity = "critical"
    steps: Annotated[tuple[Step, ...], Meta(min_length=1)]
    cycles: Annotated[int, Meta(ge=1, le=10)] = 2
    """Number of times that all steps are taken before the escalation ends."""


class Inhibition(Section, frozen=True, kw_only=True):
    """Dangers without a notification of their own while a greater one is open at the same site: smoke during a fire."""

    during: Annotated[tuple[Name, ...], Meta(min_length=1)] = msgspec.field(name="while")
    """Dangers that inhibit others while an incident of theirs is open."""
    hold_back: Annotated[tuple[Name, ...], Meta(min_length=1)]
    """Dangers that are inhibited."""

    def __post_init__(self) -> None:
        both = set(self.during) & set(self.hold_back)
        if both:
            raise ValueError(f"{sorted(both)[0]!r} cannot inhibit itself; remove it from `while` or from `hold_back`")


class Joining(Section, frozen=True, kw_only=True):
    """Dangers that join the open incident of another one which the same camera sees: one weapon is one incident."""

    during: Annotated[tuple[Name, ...], Meta(min_length=1)] = msgspec.field(name="while")
    """Dangers whose open incident is joined."""
    joins: Annotated[tuple[Name, ...], Meta(min_length=1)]
    """Dangers that join it."""

    def __post_init__(self) -> None:
        both = set(self.during) & set(self.joins)
        if both:
            raise ValueError(f"{sorted(both)[0]!r} cannot join itself; remove it from `while` or from `joins`")


ONE_WEAPON: Final = (
    Joining(during=("gun", "weapon"), joins=("knife",)),
    Joining(during=("gun", "knife"), joins=("weapon",)),
)
"""A gun that follows is news, and has an incident of its own."""


class Incidents(Section, frozen=True, kw_only=True):
    """Grouping, repetition, escalation and inhibition of incidents."""

    update_minutes: Minutes = 3
    """Least time between a notification and one that only adds a camera."""
    repeat_acknowledged_minutes: Minutes = 60
    """Repeat interval of an acknowledged incident, while it is still seen."""
    resolve_minutes: Minutes = 15
    """Time without a sighting after which an incident is resolved."""
    escalate_within_minutes: Minutes = 60
    """Age beyond which a late sighting is not escalated: it comes from the outbox of a device that was offline. It
    goes out in one digest with others, and no notification follows when it is over."""
    escalation: tuple[Escalation, ...] = ()
    """The first that applies is used."""
    inhibit: tuple[Inhibition, ...] = ()
    join: tuple[Joining, ...] = ONE_WEAPON

    def __post_init__(self) -> None:
        hides = {(greater, lesser) for rule in self.inhibit for greater in rule.during for lesser in rule.hold_back}
        for greater, lesser in sorted(hides):
            if (lesser, greater) in hides:
                raise ValueError(f"`inhibit`: {greater!r} and {lesser!r} inhibit each other; remove one of them")

    def people(self) -> Iterator[tuple[str, str]]:
        """Yield the name of each recipient that is named here, after its path below `incidents`."""
        for number, chain in enumerate(self.escalation):
            for place, step in enumerate(chain.steps):
                for index, name in enumerate(step.notify):
                    yield f"escalation[{number}].steps[{place}].notify[{index}]", name


class PresenceSettings(Section, frozen=True, kw_only=True):
    """When a device without heartbeats, or without new frames, is an incident. `presence: null` for never."""

    quiet_seconds: Patience = 180
    """Time without a heartbeat after which a device is missing: three heartbeats by default."""
    offline_seconds: Patience = 60
    """Time offline, or without a camera, after which a device is missing; a restart takes less."""
    blind_seconds: Patience = 300
    """Time with heartbeats and without a new frame after which a device is missing."""
    condition_seconds: Patience = 60
    """Time with a camera condition after which a camera counts as lost."""
    conditions: tuple[Condition, ...] = tuple(Condition)
    """Camera conditions that count; without `dark` where nobody expects a picture at night."""
    gather_seconds: Patience = 60
    """Longest delay of a first notification, to include other devices of the site that are about to be missing."""
    steady_seconds: Patience = 60
    """Time that every device must be present before the incident is resolved, so that an unstable one makes one
    incident."""
    grace_seconds: Patience = 120
    """Time after this service connects during which no device counts as missing."""
    severity: Severity = "warning"
    repeat_minutes: Minutes = 240
    """Repeat interval while a device is missing."""
    leave_out: tuple[str, ...] = ()
    """Devices that never count as missing: `north-gate/pi-09`."""

    def __post_init__(self) -> None:
        for place in self.leave_out:
            names = place.split("/")
            if len(names) != 2 or not all(map(_name.match, names)):
                raise ValueError(f"`leave_out`: {place!r} is not a device; write site and device like north-gate/pi-09")
