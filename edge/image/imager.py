"""The manifest by which Raspberry Pi Imager offers an image (`.rpi-imager-manifest`)."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from contract import release

DEVICES: Final = ("pi3-64bit", "pi4-64bit", "pizero2-64bit")
"""As Imager calls the boards whose USB and network Debian's kernel drives."""

_ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 40 40'%3E%3Crect width='40' height='40' "
    "rx='8' fill='%231f4d7a'/%3E%3Cpath d='M8 13h24M8 20h24M8 27h14' stroke='white' stroke-width='3'/%3E%3C/svg%3E"
)


def manifest(image: Path, url: str, epoch: int, *, packed: Path | None = None, init_format: str = "none") -> bytes:
    """Return the manifest of an image that is offered at `url`, as it is or `packed`.

    `init_format` says which customisation of Imager's the image takes; wordcam's own takes none, but an invitation.
    """
    with image.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    offered = packed or image
    with offered.open("rb") as file:
        offered_digest = hashlib.file_digest(file, "sha256").hexdigest()
    entry = {
        "name": f"wordcam {release.VERSION}",
        "description": "A camera that sends words instead of video (64-bit)",
        "icon": _ICON,
        "url": url,
        "extract_size": image.stat().st_size,
        "extract_sha256": digest,
        "image_download_size": offered.stat().st_size,
        "image_download_sha256": offered_digest,
        "release_date": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d"),
        "init_format": init_format,
        "devices": list(DEVICES),
        "architecture": "armv8",
        "bmap": f"{image.name}.bmap",
    }
    return msgspec.json.format(msgspec.json.encode({"os_list": [entry]}))
