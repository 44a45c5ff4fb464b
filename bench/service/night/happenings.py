"""What can happen in a night: cameras speak, devices and disks fail, people answer."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from broker.incidents.ack_links import Choice

Camera = tuple[str, str]
"""Site and device; each device has one camera, `cam-0`, as most have."""

STREAM: Final = "cam-0"


@dataclass(frozen=True, slots=True)
class Said:
    """A camera says a sentence."""

    camera: Camera
    text: str
    hazards: dict[str, float] = field(default_factory=dict)
    """Probability of each danger by the model, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Offline:
    """A device loses its network, and keeps what it sees in its outbox."""

    camera: Camera


@dataclass(frozen=True, slots=True)
class Online:
    """It is there again, and empties its outbox."""

    camera: Camera


@dataclass(frozen=True, slots=True)
class Silent:
    """A device stays connected and sends nothing any more."""

    camera: Camera


@dataclass(frozen=True, slots=True)
class Answered:
    """Someone answers by text message; `{number}` is the incident of a danger at a site."""

    person: str
    text: str
    site: str = ""
    danger: str = ""


@dataclass(frozen=True, slots=True)
class Followed:
    """Someone opens the link of the last text about a danger at a site, and chooses a button."""

    person: str
    choice: Choice
    site: str
    danger: str


@dataclass(frozen=True, slots=True)
class Disk:
    """The server's disk is full, or has room again."""

    full: bool


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway fails, or works again."""

    failing: bool


What = Said | Offline | Online | Silent | Answered | Followed | Disk | Gateway


@dataclass(frozen=True, slots=True)
class Happening:
    """Something at a moment, counted from the beginning of the night."""

    after: timedelta
    what: What


@dataclass(frozen=True, slots=True)
class Script:
    """A whole night."""

    cameras: tuple[Camera, ...]
    length: timedelta
    happenings: tuple[Happening, ...]
    """In order of time."""
