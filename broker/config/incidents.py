"""What `broker.yaml` says of incidents: when people are told again, who is told next, and what hides behind what."""

import re
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from broker.config.section import Minutes, Section, Severity
from contract import wire
from contract.caption import Name

Patience = Annotated[float, Meta(ge=0, le=86400)]
"""A day at most: what is missed later than that is missed too late."""

_name: Final = re.compile(wire.NAME)


class Step(Section, frozen=True, kw_only=True):
    """Who is told next when nobody answers."""

    after_minutes: Minutes
    """Without an answer since the step before, or since the first message."""
    tell: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Names of recipients. They are not told before."""


class Escalation(Section, frozen=True, kw_only=True):
    """Who is told in turn until someone acknowledges."""

    sites: tuple[Name, ...] = ()
    dangers: tuple[Name, ...] = ()
    """Where and for what it holds; none means everywhere and everything."""
    min_severity: Severity = "critical"
    steps: Annotated[tuple[Step, ...], Meta(min_length=1)]
    rounds: Annotated[int, Meta(ge=1, le=10)] = 2
    """How often everybody is told before the service gives up, the first ones included."""


class Inhibition(Section, frozen=True, kw_only=True):
    """A danger that needs no words while a greater one is told of at the same site: no smoke without fire."""

    during: Annotated[tuple[Name, ...], Meta(min_length=1)] = msgspec.field(name="while")
    """Dangers that hide others while people know of them."""
    hold_back: Annotated[tuple[Name, ...], Meta(min_length=1)]
    """Dangers that are then told of as those."""

    def __post_init__(self) -> None:
        both = set(self.during) & set(self.hold_back)
        if both:
            raise ValueError(f"{sorted(both)[0]!r} cannot hide behind itself; take it from `while` or from `hold_back`")


class Incidents(Section, frozen=True, kw_only=True):
    """How incidents are told of from their second sighting on."""

    update_minutes: Minutes = 3
    """Least time between a message and one that only adds a camera."""
    repeat_acknowledged_minutes: Minutes = 60
    """A danger that someone takes care of is told of again after so long, if it is still seen."""
    resolve_minutes: Minutes = 15
    """An incident is over when no camera has seen it for so long."""
    escalation: tuple[Escalation, ...] = ()
    """The first that holds counts."""
    inhibit: tuple[Inhibition, ...] = ()

    def __post_init__(self) -> None:
        hides = {(greater, lesser) for rule in self.inhibit for greater in rule.during for lesser in rule.hold_back}
        for greater, lesser in sorted(hides):
            if (lesser, greater) in hides:
                raise ValueError(f"`inhibit`: {greater!r} and {lesser!r} hide behind each other; take one of them out")

    def people(self) -> Iterator[tuple[str, str]]:
        """Give everyone who is named here, each with the place of the name in the file."""
        for number, chain in enumerate(self.escalation):
            for place, step in enumerate(chain.steps):
                for index, name in enumerate(step.tell):
                    yield f"escalation[{number}].steps[{place}].tell[{index}]", name


class PresenceSettings(Section, frozen=True, kw_only=True):
    """When a device that says nothing, or sees nothing, is an incident. `presence: null` for never."""

    quiet_seconds: Patience = 180
    """A device that should speak and has said nothing for so long is lost: three of its heartbeats by default."""
    offline_seconds: Patience = 60
    """So is one that went offline, or whose camera is gone, and has not come back within this: a restart takes less."""
    blind_seconds: Patience = 300
    """So is one that speaks, but has looked at no new frame for so long."""
    gather_seconds: Patience = 60
    """A first message waits at most so long for other devices of the site that seem to go the same way."""
    steady_seconds: Patience = 60
    """It is over when every device has been well for so long, so that one that comes and goes is told of once."""
    grace_seconds: Patience = 120
    """Nobody is missed for so long after this service began to listen, or could listen again: all have to come back."""
    severity: Severity = "warning"
    repeat_minutes: Minutes = 240
    """Told again after so long, if it is still lost."""
    leave_out: tuple[str, ...] = ()
    """Devices that nobody misses: `north-gate/pi-09`."""

    def __post_init__(self) -> None:
        for place in self.leave_out:
            names = place.split("/")
            if len(names) != 2 or not all(map(_name.match, names)):
                raise ValueError(f"`leave_out`: {place!r} names no device; write site and device like north-gate/pi-09")
