"""`broker.yaml`: the whole configuration of the alert service, checked before anything starts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from broker.config import time_interval
from broker.config.absence import Absence
from broker.config.channels import Apprise, Channel, Solapi, Translation, Twilio, e164
from broker.config.database import Database
from broker.config.enrolment import Enrolment
from broker.config.incidents import Incidents, PresenceSettings
from broker.config.models import Models
from broker.config.monitor import Monitor
from broker.config.retention import Retention
from broker.config.section import SEVERITIES, Language, Section, Severity, Wording, at_least, in_language
from broker.config.web import Web
from contract.caption import Name
from foundation import yaml_file
from foundation.network_address import mqtt_port, require_host

__all__ = ["SEVERITIES", "Language", "Severity", "Wording", "in_language"]

MQTT_PASSWORD: Final = "WORDCAM_MQTT_PASSWORD"  # noqa: S105 - the name of a variable
LINK_SECRET: Final = "WORDCAM_LINK_SECRET"  # noqa: S105 - the name of a variable

Seconds = Annotated[float, Meta(gt=0)]
Hours = Annotated[float, Meta(gt=0, le=24 * 365)]
Port = Annotated[int, Meta(ge=1, le=65535)]
ClientId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="1 to 64 of A-Z, a-z, 0-9, _ and -")]


class Tls(Section, frozen=True):
    """Encryption of the connection to the MQTT server."""

    ca_file: Path | None = None
    """Certificates (PEM) of the authority that signed the server's certificate; without it, those of the system."""
    cert_file: Path | None = None
    """Certificate (PEM) of this service, where the server asks for one."""
    key_file: Path | None = None
    """Private key (PEM) of that certificate."""

    def __post_init__(self) -> None:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("`cert_file` and `key_file` come together or not at all")


class Mqtt(Section, frozen=True):
    """MQTT server that devices publish to."""

    host: str = "127.0.0.1"
    port: Port | None = None
    """Port; without it, 8883 with TLS and 1883 otherwise."""
    client_id: ClientId = "wordcam-broker"
    """Name of the persistent session; no two instances may use the same."""
    username: str = ""
    password_file: Path | None = None
    """File that holds the password alone; the environment variable WORDCAM_MQTT_PASSWORD goes before it."""
    tls: Tls | None = None
    keepalive_seconds: Annotated[int, Meta(ge=5, le=3600)] = 30
    session_expiry_hours: Hours = 168
    """Time for which the server keeps messages while this service is not connected: a week covers a long holiday."""
    share: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{0,64}$", description="up to 64 of A-Z, a-z, 0-9, _ and -")] = ""
    """Name of a shared subscription (MQTT 5, section 4.8.2): instances with the same name divide the captions
    among them. Each needs its own `client_id`."""
    batch: Annotated[int, Meta(ge=1, le=5000)] = 1000
    """Largest number of messages in one transaction. A transaction takes what has arrived meanwhile, and waits for no
    more; the more it holds, the less time each message takes."""

    def __post_init__(self) -> None:
        require_host(self.host)

    @property
    def tcp_port(self) -> int:
        """The port, or else the registered one."""
        return mqtt_port(self.port, encrypted=self.tls is not None)


class Notify(Section, frozen=True):
    """Retries of notifications."""

    first_retry_seconds: Seconds = 5
    """Wait after the first failure; it doubles with each further failure, with jitter."""
    longest_retry_seconds: Seconds = 600
    give_up_after_hours: Hours = 24
    """Age at which a notification becomes a dead letter, and an error is logged."""


class Recipient(Section, frozen=True, kw_only=True):
    """A person, or a group, that notifications are sent to."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"told_when_over": "notify_when_resolved"}

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    phone: str = ""
    """Telephone number in international form: `+82 10 1234 5678`."""
    channel: Channel | None = None
    """Channel of their notifications; without it, Twilio where it is configured, else Solapi, else the console."""
    address_file: Path | None = None
    """For `channel: apprise`, file that holds one Apprise URL; such URLs contain secrets."""
    language: Language = "en"
    sites: tuple[Name, ...] = ()
    """Sites whose incidents they are notified of; empty for all."""
    dangers: tuple[Name, ...] = ()
    """Dangers that they are notified of; empty for all."""
    min_severity: Severity = "info"
    """Least severity that they are notified of."""
    quiet_hours: tuple[str, ...] = ()
    """Hours without notifications: `22:00-07:00`, `sat-sun`. A digest of what was held back follows at their end."""
    away: tuple[Absence, ...] = ()
    """Times without any notification, by their clock: `{from: 2026-03-14, until: 2026-03-20 08:00}`. Escalations go on
    to the next at once; a digest of what was held back follows."""
    quiet_passes: Severity | None = "critical"
    """Least severity that is sent even in quiet hours; null for none."""
    timezone: str = ""
    """Their time zone, where it differs from `timezone` of the file."""
    max_per_hour: Annotated[int, Meta(ge=1, le=1000)] = 20
    """Rate limit: notifications in any 60 minutes. A digest of what exceeds it follows."""
    notify_when_resolved: bool = True
    """Whether they are notified when an incident that they were notified of is resolved."""

    def __post_init__(self) -> None:
        if self.phone:
            e164(self.phone)
        if self.channel == "apprise" and self.address_file is None:
            raise ValueError(f"{self.name!r} has `channel: apprise` and needs `address_file`")
        if self.channel != "apprise" and not self.phone:
            raise ValueError(f"{self.name!r} has no `phone`; give one, or `channel: apprise` with `address_file`")
        if self.timezone:
            _zone(self.timezone)
        time_interval.require_gap(self.quiet, "`quiet_hours`")

    @property
    def e164(self) -> str:
        """The telephone number in E.164, `+821012345678`; "" where there is none."""
        return e164(self.phone) if self.phone else ""

    @property
    def quiet(self) -> time_interval.Schedule:
        """The quiet hours, parsed."""
        return [time_interval.read(text) for text in self.quiet_hours]

    def wants(self, site: str, danger: str, severity: Severity) -> bool:
        """Return whether they are notified of a danger of this severity at this site."""
        near = not self.sites or site in self.sites
        concerned = not self.dangers or danger in self.dangers
        return near and concerned and at_least(severity, self.min_severity)


class Stream(Section, frozen=True):
    """A camera of a device: its display name and zones."""

    id: Name
    name: str | Wording = ""
    zones: tuple[Name, ...] = ()
    """Zones in its view, for rules that apply to some zones only: `[entrance, indoor]`."""


class Device(Section, frozen=True):
    """A device of a site: its display name and cameras."""

    id: Name
    name: str | Wording = ""
    streams: tuple[Stream, ...] = ()


Profiles = dict[Name, Annotated[tuple[str, ...], Meta(min_length=1)]]
"""Profiles by name, each with its hours: `night: [22:00-06:00]`. Of several at once the first counts; while none is in
force, it is `home`."""


def _check_profiles(profiles: Mapping[str, Sequence[str]]) -> None:
    for name, texts in profiles.items():
        for text in texts:
            try:
                time_interval.read(text)
            except ValueError as error:
                raise ValueError(f"`profiles.{name}`: {error}") from error


class Site(Section, frozen=True):
    """A site: its display name, time zone and devices."""

    id: Name
    name: str | Wording = ""
    timezone: str = ""
    """Time zone of the site, where it differs from `timezone` of the file."""
    devices: tuple[Device, ...] = ()
    profiles: Profiles = msgspec.field(default_factory=dict)
    """When which profile is in force here, in place of `profiles` of the file."""

    def __post_init__(self) -> None:
        if self.timezone:
            _zone(self.timezone)
        _check_profiles(self.profiles)


class Links(Section, frozen=True, kw_only=True):
    """Links in notifications that acknowledge an incident. Without this part there are none."""

    base_url: Annotated[
        str, Meta(pattern=r"^https?://[^/\s]+$", description="an address without a path, as https://wordcam.example")
    ]
    """Address of the console from outside: `https://wordcam.example`."""
    secret_file: Path | None = None
    """File that holds a long random secret; the environment variable WORDCAM_LINK_SECRET goes before it."""
    valid_hours: Hours = 24


class Config(Section, frozen=True, kw_only=True):
    """The whole file."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"absence": "presence"}
    """Keys of version 0.1.0, read for one release."""

    database: Database
    rules_file: Path
    mqtt: Mqtt = Mqtt()
    timezone: str = "UTC"
    """Time zone of times that people read: `Asia/Seoul`."""
    language: Language = "en"
    """Language of the terminal."""
    profiles: Profiles = msgspec.field(default_factory=dict)
    """When which profile is in force at the sites, by their clocks: `{night: [22:00-06:00]}`. Rules may hold in some
    alone."""
    twilio: Twilio | None = None
    solapi: Solapi | None = None
    apprise: Apprise = Apprise()
    translation: Translation = Translation()
    notify: Notify = Notify()
    incidents: Incidents = Incidents()
    retention: Retention = Retention()
    presence: PresenceSettings | None = PresenceSettings()
    links: Links | None = None
    enrolment: Enrolment | None = None
    models: Models | None = None
    web: Web = Web()
    monitor: Monitor | None = None
    recipients: tuple[Recipient, ...] = ()
    sites: tuple[Site, ...] = ()

    def __post_init__(self) -> None:
        _zone(self.timezone)
        _check_profiles(self.profiles)
        names = [recipient.name for recipient in self.recipients]
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"two recipients are called {twice!r}; give each a name of its own")
        for where, name in self.incidents.people():
            if name not in names:
                raise ValueError(
                    f"incidents.{where}: no recipient is called {name!r}; {yaml_file.nearest(name, names)}"
                )


def load(path: Path) -> Config:
    """Return `broker.yaml`, checked; raises as `yaml_file.load`."""
    return yaml_file.load(path, Config, if_missing="name the right file with --config")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not a time zone; write it like Asia/Seoul") from error
