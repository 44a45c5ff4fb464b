"""Display names, time zones and zones of sites, devices and cameras."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self
from zoneinfo import ZoneInfo

from broker.config import time_interval
from broker.config.broker import Config, Language, Recipient, Wording, in_language
from broker.config.time_interval import Schedule

HOME: Final = "home"
"""The profile that is in force while no other is."""


@dataclass(frozen=True, slots=True)
class Places:
    """Display names and time zones by id; the name of a place without one is its id."""

    names: dict[tuple[str, ...], str | Wording]
    """By (site,), (site, device) or (site, device, stream)."""
    clocks: dict[str, ZoneInfo]
    """Time zones by site, where they differ from `clock`."""
    clock: ZoneInfo
    zones: dict[tuple[str, str, str], frozenset[str]] = field(default_factory=dict)
    """Zones in the view of a camera, by (site, device, stream)."""
    profiles: Mapping[str, Mapping[str, Schedule]] = field(default_factory=dict)
    """When which profile is in force, by site; under "" for sites without hours of their own."""

    @classmethod
    def of(cls, config: Config) -> Self:
        """Return the places of a configuration."""
        names: dict[tuple[str, ...], str | Wording] = {}
        for site in config.sites:
            names[(site.id,)] = site.name
            for device in site.devices:
                names[(site.id, device.id)] = device.name
                names.update({(site.id, device.id, stream.id): stream.name for stream in device.streams})
        clocks = {site.id: ZoneInfo(site.timezone) for site in config.sites if site.timezone}
        zones = {
            (site.id, device.id, stream.id): frozenset(stream.zones)
            for site in config.sites
            for device in site.devices
            for stream in device.streams
        }
        hours = {"": config.profiles, **{site.id: site.profiles for site in config.sites if site.profiles}}
        profiles = {site: {name: _schedule(texts) for name, texts in of.items()} for site, of in hours.items()}
        return cls(names, clocks, ZoneInfo(config.timezone), zones, profiles)

    @classmethod
    def nameless(cls, clock: str = "UTC") -> Self:
        """Return places without names, in one time zone."""
        return cls({}, {}, ZoneInfo(clock))

    def name(self, *ids: str, language: Language) -> str:
        """Return the display name of a site, of a device of it, or of a stream of that."""
        return in_language(self.names.get(ids, ""), language) or ids[-1]

    def is_named(self, *ids: str) -> bool:
        """Return whether the configuration has a display name for a place."""
        return bool(in_language(self.names.get(ids, ""), "en"))

    def local(self, moment: datetime, site: str) -> datetime:
        """Return a time in the time zone of a site."""
        return moment.astimezone(self.clocks.get(site, self.clock))

    def by_clock_of(self, person: Recipient, moment: datetime) -> datetime:
        """Return a time in the time zone of a recipient."""
        return moment.astimezone(ZoneInfo(person.timezone) if person.timezone else self.clock)

    def profile_at(self, local: datetime, site: str) -> str:
        """Return the profile in force at a site at a local time."""
        own = self.profiles.get(site, self.profiles.get("", {}))
        return next((name for name, hours in own.items() if time_interval.holds_at(hours, local)), HOME)

    def zones_of(self, site: str, device: str, stream: str) -> frozenset[str]:
        """Return the zones in the view of a camera; empty where none are configured."""
        return self.zones.get((site, device, stream), frozenset())


def _schedule(texts: Sequence[str]) -> Schedule:
    return [time_interval.read(text) for text in texts]
