"""`broker.yaml`: everything the alert service is told, checked whole before anything starts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta

from broker.config import time_interval
from broker.config.channels import Apprise, Channel, Solapi, Translation, Twilio, e164
from broker.config.database import Database
from broker.config.incidents import Incidents, PresenceSettings
from broker.config.monitor import Monitor
from broker.config.retention import Retention
from broker.config.section import SEVERITIES, Language, Section, Severity, Wording, at_least, in_language
from broker.config.web import Web
from contract.caption import Name
from foundation import yaml_file
from foundation.network_address import require_host

__all__ = ["SEVERITIES", "Language", "Severity", "Wording", "in_language"]

MQTT_PASSWORD: Final = "WORDCAM_MQTT_PASSWORD"  # noqa: S105 - the name of a variable
LINK_SECRET: Final = "WORDCAM_LINK_SECRET"  # noqa: S105 - the name of a variable

Seconds = Annotated[float, Meta(gt=0)]
Hours = Annotated[float, Meta(gt=0, le=24 * 365)]
Port = Annotated[int, Meta(ge=1, le=65535)]
ClientId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="1 to 64 of A-Z, a-z, 0-9, _ and -")]


class Tls(Section, frozen=True):
    """How the MQTT server is recognised, and how this service proves who it is."""

    ca_file: Path | None = None
    """Certificates of the authority that signed the server's; without it, the system's authorities count."""
    cert_file: Path | None = None
    """This service's own certificate, where the server asks for one."""
    key_file: Path | None = None
    """Its private key."""

    def __post_init__(self) -> None:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("`cert_file` and `key_file` come together or not at all")


class Mqtt(Section, frozen=True):
    """The MQTT server that devices publish to."""

    host: str = "127.0.0.1"
    port: Port = 1883
    client_id: ClientId = "wordcam-broker"
    """The persistent session is kept under this name; two services may not share it."""
    username: str = ""
    password_file: Path | None = None
    """A file that holds the password alone; the variable WORDCAM_MQTT_PASSWORD goes before it."""
    tls: Tls | None = None
    keepalive_seconds: Annotated[int, Meta(ge=5, le=3600)] = 30
    session_expiry_hours: Hours = 168
    """How long the server keeps messages for this service while it is away: a week covers a long holiday."""
    share: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{0,64}$", description="up to 64 of A-Z, a-z, 0-9, _ and -")] = ""
    """Instances with the same word here share the captions among them; each needs a `client_id` of its own."""
    batch: Annotated[int, Meta(ge=1, le=5000)] = 1000
    """Messages committed together at most: whatever has come meanwhile, so that few wait for nobody. The more there are
    in one commit, the less each costs."""

    def __post_init__(self) -> None:
        require_host(self.host)


class Notify(Section, frozen=True):
    """How stubbornly a text message is sent."""

    first_retry_seconds: Seconds = 5
    """Wait after the first failure; doubled at each further one, with jitter."""
    longest_retry_seconds: Seconds = 600
    give_up_after_hours: Hours = 24
    """An alert this old is news to nobody: it is marked dead, and an error is logged."""


class Recipient(Section, frozen=True, kw_only=True):
    """Someone who is told."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    phone: str = ""
    """In international form: `+82 10 1234 5678`."""
    channel: Channel | None = None
    """How they are told; none, by the account that is set: Twilio, else Solapi, else printed."""
    address_file: Path | None = None
    """For `channel: apprise`, a file that holds one address as Apprise writes them, with its secrets."""
    language: Language = "en"
    sites: tuple[Name, ...] = ()
    """Only alerts of these sites; none means all."""
    dangers: tuple[Name, ...] = ()
    """Only these dangers; none means all."""
    min_severity: Severity = "info"
    quiet_hours: tuple[str, ...] = ()
    """When they are not to be woken: `22:00-07:00`, `sat-sun`. What comes meanwhile is told in one message after."""
    quiet_passes: Severity | None = "critical"
    """What is sent even then, from this severity on; null for nothing."""
    timezone: str = ""
    """Their clock, where it differs from the file's."""
    max_per_hour: Annotated[int, Meta(ge=1, le=1000)] = 20
    """Messages in any 60 minutes; what is more waits and is told in one message."""
    told_when_over: bool = True
    """Whether they are told that a danger they were told of is over."""

    def __post_init__(self) -> None:
        if self.phone:
            e164(self.phone)
        if self.channel == "apprise" and self.address_file is None:
            raise ValueError(f"{self.name!r} is told by Apprise and needs `address_file`")
        if self.channel != "apprise" and not self.phone:
            raise ValueError(f"{self.name!r} has no `phone`; give one, or `channel: apprise` with `address_file`")
        if self.timezone:
            _zone(self.timezone)
        time_interval.require_gap(self.quiet, "`quiet_hours`")

    @property
    def e164(self) -> str:
        """The number as gateways take it: `+821012345678`; "" for someone without a telephone."""
        return e164(self.phone) if self.phone else ""

    @property
    def quiet(self) -> time_interval.Schedule:
        """Their quiet hours, read."""
        return [time_interval.read(text) for text in self.quiet_hours]

    def wants(self, site: str, danger: str, severity: Severity) -> bool:
        """Say whether this person is told of a danger of a severity at a site."""
        near = not self.sites or site in self.sites
        concerned = not self.dangers or danger in self.dangers
        return near and concerned and at_least(severity, self.min_severity)


class Stream(Section, frozen=True):
    """One camera of a device, as people call it."""

    id: Name
    name: str | Wording = ""
    zones: tuple[Name, ...] = ()
    """What it looks at, for rules that hold in some zones only: `[entrance, indoor]`."""


class Device(Section, frozen=True):
    """One device of a site, as people call it."""

    id: Name
    name: str | Wording = ""
    streams: tuple[Stream, ...] = ()


class Site(Section, frozen=True):
    """One place, as people call it."""

    id: Name
    name: str | Wording = ""
    timezone: str = ""
    """Where it differs from the file's `timezone`."""
    devices: tuple[Device, ...] = ()

    def __post_init__(self) -> None:
        if self.timezone:
            _zone(self.timezone)


class Links(Section, frozen=True, kw_only=True):
    """Links in text messages by which an alert is acknowledged. Without this part there are none."""

    base_url: Annotated[
        str, Meta(pattern=r"^https?://[^/\s]+$", description="an address without a path, as https://wordcam.example")
    ]
    """Where the console is for someone outside: `https://wordcam.example`."""
    secret_file: Path | None = None
    """A file with a long random word; the variable WORDCAM_LINK_SECRET goes before it."""
    valid_hours: Hours = 24


class Config(Section, frozen=True, kw_only=True):
    """The whole file."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"absence": "presence"}
    """Keys of version 0.1.0, read for one release."""

    database: Database
    rules_file: Path
    mqtt: Mqtt = Mqtt()
    timezone: str = "UTC"
    """Clock that people read: `Asia/Seoul`."""
    language: Language = "en"
    """Language of the terminal."""
    twilio: Twilio | None = None
    solapi: Solapi | None = None
    apprise: Apprise = Apprise()
    translation: Translation = Translation()
    notify: Notify = Notify()
    incidents: Incidents = Incidents()
    retention: Retention = Retention()
    presence: PresenceSettings | None = PresenceSettings()
    links: Links | None = None
    web: Web = Web()
    monitor: Monitor | None = None
    recipients: tuple[Recipient, ...] = ()
    sites: tuple[Site, ...] = ()

    def __post_init__(self) -> None:
        _zone(self.timezone)
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
    """Read and check `broker.yaml`; raises `Misconfigured`."""
    return yaml_file.load(path, Config, if_missing="name the right file with --config")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; write it like Asia/Seoul") from error
