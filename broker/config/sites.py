"""What people call the sites, devices and cameras, and which clock they go by."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from broker.config.broker import Config, Language, Recipient, Wording, in_language


@dataclass(frozen=True, slots=True)
class Places:
    """Names and clocks by id; a place without a name is called by its id."""

    names: dict[tuple[str, ...], str | Wording]
    """By (site,), (site, device) or (site, device, stream)."""
    clocks: dict[str, ZoneInfo]
    """By site, where it differs from `clock`."""
    clock: ZoneInfo
    zones: dict[tuple[str, str, str], frozenset[str]] = field(default_factory=dict)
    """What a camera looks at, by (site, device, stream)."""

    @classmethod
    def of(cls, config: Config) -> Self:
        """Take the places from the configuration."""
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
        return cls(names, clocks, ZoneInfo(config.timezone), zones)

    @classmethod
    def nameless(cls, clock: str = "UTC") -> Self:
        """Give places that are all called by their ids and go by one clock."""
        return cls({}, {}, ZoneInfo(clock))

    def name(self, *ids: str, language: Language) -> str:
        """Give what people call a site, a device of it or a stream of that."""
        return in_language(self.names.get(ids, ""), language) or ids[-1]

    def local(self, moment: datetime, site: str) -> datetime:
        """Give a moment by the clock of a site."""
        return moment.astimezone(self.clocks.get(site, self.clock))

    def by_clock_of(self, person: Recipient, moment: datetime) -> datetime:
        """Give a moment by the clock of someone who is told."""
        return moment.astimezone(ZoneInfo(person.timezone) if person.timezone else self.clock)

    def zones_of(self, site: str, device: str, stream: str) -> frozenset[str]:
        """Give what a camera looks at; nothing where the file does not say."""
        return self.zones.get((site, device, stream), frozenset())
