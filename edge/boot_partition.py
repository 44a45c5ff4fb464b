"""What stands for a device on the boot partition of its card: `flash` and owners write it, the first boot takes it."""

from pathlib import PurePosixPath
from typing import Annotated, Final

import msgspec
from msgspec import Meta

FOLDER: Final = PurePosixPath("wordcam")
"""On the boot partition, which any computer can open."""

INVITATION: Final = FOLDER / "device.enroll"
SETTINGS: Final = FOLDER / "settings.yaml"
CONFIG: Final = FOLDER / "edge.yaml"
"""A whole configuration, which replaces that in use."""

STATUS: Final = FOLDER / "status.txt"
"""What the device says of itself to an owner who puts its card into a computer."""

NETWORK_CONFIG: Final = PurePosixPath("network-config")
"""Where cloud-init looks for a network: an image with another base than ours joins Wi-Fi by it."""

MARK: Final = FOLDER / "image.json"
"""By it `flash` knows an image that has wordcam in it."""

OWN: Final = "debian"
"""Base of wordcam's own image."""

Country = Annotated[str, Meta(pattern="^[A-Z]{2}$", description="two capital letters (ISO 3166-1), such as KR")]


class WifiNetwork(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network with a common password (WPA2 or WPA3), or an open one."""

    name: Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[^\x00-\x1f]+$")]
    password: Annotated[str, Meta(pattern=r"^([\x20-\x7e]{8,63}|[0-9a-fA-F]{64})?$")] = ""
    """8 to 63 characters of ASCII, or a key of 64 hexadecimal digits; "" for an open network."""
    country: Country = "KR"
    """Whose rules of radio apply."""

    def __post_init__(self) -> None:
        if len(self.name.encode()) > 32:
            raise ValueError("a network's name has at most 32 bytes")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`wordcam/settings.yaml`: taken, and erased, at the next start of the device."""

    wifi: WifiNetwork | None = None
    camera: Annotated[str, Meta(pattern=r"^[^\s'\"\\\\$%]+$")] | None = None
    """As `wordcam-edge init --camera` takes it, for a new edge.yaml; None for the first camera that is found."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """`wordcam/image.json`: which image this is."""

    version: str
    """Of wordcam."""
    base: str
    """`debian` or the name of the image that wordcam was put into."""
    built_of: str
    """Digest of all inputs: two images with the same one are the same."""
    system: str = ""
    """Version of the system in it, as an update of it is known by; "" where the base is not ours."""


def render(settings: Settings) -> bytes:
    """Return settings as a YAML file, which `foundation.yaml_file` reads back."""
    lines = ["# Taken and erased when the device starts. It may be written again at any time.\n"]
    if settings.camera is not None:
        lines.append(f"camera: {_quoted(settings.camera)}\n")
    if settings.wifi is not None:
        lines.append("wifi:\n")
        found = (("name", settings.wifi.name), ("password", settings.wifi.password), ("country", settings.wifi.country))
        lines += [f"  {key}: {_quoted(value)}\n" for key, value in found]
    return "".join(lines).encode()


def network_config(wifi: WifiNetwork) -> bytes:
    """Return a network as cloud-init reads it (netplan, version 2; JSON is YAML)."""
    access = {"password": wifi.password} if wifi.password else {}
    wlan0 = {"dhcp4": True, "optional": True, "regulatory-domain": wifi.country, "access-points": {wifi.name: access}}
    tree = {"version": 2, "ethernets": {"eth0": {"dhcp4": True, "optional": True}}, "wifis": {"wlan0": wlan0}}
    return msgspec.json.encode(tree) + b"\n"


def _quoted(value: str) -> str:
    # A JSON string is a YAML string, whatever signs are in it.
    return msgspec.json.encode(value).decode()
