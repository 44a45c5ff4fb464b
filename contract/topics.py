"""Every MQTT topic, spelt once: `wordcam/v1/<site>/<device>/<channel>`."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from contract import wire
from contract.errors import Refused

ROOT: Final = "wordcam/v1"
"""Prefix of every topic; the number changes when a message can no longer be read by its older readers."""

Channel = Literal["caption", "status", "ack", "thresholds", "update"]
CHANNELS: Final[tuple[Channel, ...]] = ("caption", "status", "ack", "thresholds", "update")
"""caption: device to server, QoS 1, never retained. status: device to everyone, QoS 1, retained; also the last will.
ack: server to device, QoS 1, never retained. thresholds: server to device, QoS 1, retained.
update: server to device, QoS 1, retained."""

_name = re.compile(wire.NAME)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message came from or goes to."""

    site: str
    device: str
    channel: Channel


def topic(site: str, device: str, channel: Channel) -> str:
    """Spell one device's topic; raises `Refused` ("schema") if a name is not a DNS label."""
    for name in (site, device):
        if not _name.match(name):
            raise Refused("schema", f"{name!r} is not a name: use 1 to 63 of a-z, 0-9 and inner hyphens")
    return f"{ROOT}/{site}/{device}/{channel}"


def filter_of(channel: Channel, *, site: str = "+") -> str:
    """Spell the subscription to a channel of every device, of one site or of all."""
    return f"{ROOT}/{site}/+/{channel}"


def parse(name: str) -> Address:
    """Read a topic; raises `Refused` ("not-ours") for anything `topic` would not spell."""
    prefix, _, rest = name.partition(f"{ROOT}/")
    levels = rest.split("/")
    if prefix or len(levels) != 3 or levels[2] not in CHANNELS or not all(map(_name.match, levels[:2])):
        raise Refused("not-ours", f"{name!r} is not {ROOT}/<site>/<device>/<{'|'.join(CHANNELS)}>")
    channel = next(known for known in CHANNELS if known == levels[2])
    return Address(levels[0], levels[1], channel)
