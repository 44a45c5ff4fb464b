"""Firewall rules by which the process that pulls reaches its camera and nothing else."""

import ipaddress
import socket
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from edge import config
from edge.errors import TryAgain

USER: Final = "wordcam-pull"
"""As deploy/systemd/wordcam.sysusers.conf has it."""

_UNIT: Final = "/etc/systemd/system/wordcam-pull.service.d/camera.conf"
_TABLE: Final = "/etc/nftables.d/wordcam-pull.nft"


def systemd(settings: config.NetworkCamera) -> str:
    """Return the drop-in of the unit; raises `TryAgain` where the camera's name is not known."""
    allowed = "\n".join(f"IPAddressAllow={address}" for address in addresses(settings))
    return "\n".join([*_advice(settings, _UNIT), "[Service]", allowed])


def nftables(settings: config.NetworkCamera) -> str:
    """Return rules for nft(8), by the user of the process; raises `TryAgain` where the camera's name is not known."""
    lines = [
        f'    meta skuid "{USER}" {"ip6" if ":" in address else "ip"} daddr {address} accept'
        for address in addresses(settings)
    ]
    return "\n".join(
        [
            *_advice(settings, _TABLE),
            "table inet wordcam_pull {",
            "  chain output {",
            "    type filter hook output priority filter; policy accept;",
            *lines,
            f'    meta skuid "{USER}" reject',
            "  }",
            "}",
        ]
    )


def addresses(settings: config.NetworkCamera) -> list[str]:
    """Return the camera's IP addresses; raises `TryAgain` where its name is not known."""
    host = urlsplit(settings.url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TryAgain(f"camera.url: no address is known for {host!r}; write the camera's IP address there") from error
    return sorted({str(ipaddress.ip_address(str(address[0]).partition("%")[0])) for *_, address in found})


def _advice(settings: config.NetworkCamera, path: str) -> Iterator[str]:
    yield f"# To {path}: {USER} reaches the camera {settings.stream}, and nothing else."
    host = urlsplit(settings.url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        yield f"# Write this address in place of {host} in camera.url too: names are not looked up behind it."
