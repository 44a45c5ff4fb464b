"""What people call the sites, devices and cameras, and which clock they go by."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from broker.config import Config, Language, Wording, in_language


@dataclass(frozen=True, slots=True)
class Places:
    """Names and clocks by id; a place without a name is called by its id."""

    names: dict[tuple[str, ...], str | Wording]
    """By (site,), (site, device) or (site, device, stream)."""
    zones: dict[str, ZoneInfo]
    zone: ZoneInfo

    @classmethod
    def of(cls, config: Config) -> Self:
        """Take the places from the configuration."""
        names: dict[tuple[str, ...], str | Wording] = {}
        for site in config.sites:
            names[(site.id,)] = site.name
            for device in site.devices:
                names[(site.id, device.id)] = device.name
                names.update({(site.id, device.id, stream.id): stream.name for stream in device.streams})
        zones = {site.id: ZoneInfo(site.timezone) for site in config.sites if site.timezone}
        return cls(names, zones, ZoneInfo(config.timezone))

    def name(self, *ids: str, language: Language) -> str:
        """Give what people call a site, a device of it or a stream of that."""
        return in_language(self.names.get(ids, ""), language) or ids[-1]

    def local(self, moment: datetime, site: str) -> datetime:
        """Give a moment by the clock of a site."""
        return moment.astimezone(self.zones.get(site, self.zone))
