"""The manifest by which Raspberry Pi Imager offers an image (`.rpi-imager-manifest`)."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from contract import release


@dataclass(frozen=True, slots=True)
class Board:
    """A computer as Imager asks for it before it offers images."""

    name: str
    tag: str
    """By which an image says that it runs there; boards may share one."""


BOARDS: Final = (
    Board("Raspberry Pi 4", "pi4-64bit"),
    Board("Raspberry Pi 3", "pi3-64bit"),
    Board("Raspberry Pi Zero 2 W", "pi3-64bit"),
)
"""Those whose USB and network Debian's kernel drives."""

BOARDS_OF_RASPBERRY_PI_OS: Final = (Board("Raspberry Pi 5", "pi5-64bit"), *BOARDS)

_ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 40 40'%3E%3Crect width='40' height='40' "
    "rx='8' fill='%231f4d7a'/%3E%3Cpath d='M8 13h24M8 20h24M8 27h14' stroke='white' stroke-width='3'/%3E%3C/svg%3E"
)


def write(  # noqa: PLR0913 - what Imager asks, by name
    image: Path,
    epoch: int,
    *,
    url: str | None = None,
    packed: Path | None = None,
    init_format: str = "none",
    boards: tuple[Board, ...] = BOARDS,
) -> None:
    """Write the manifest beside an image that is offered as it is or `packed`.

    `url` is the folder from which the image will be fetched; None for the file here. `init_format` says which
    customisation of Imager's the image takes; wordcam's own takes none, but an invitation.
    """
    offered = packed or image
    where = f"{url.rstrip('/')}/{offered.name}" if url else offered.absolute().as_uri()
    made = _manifest(image, offered, where, epoch, init_format=init_format, boards=boards)
    image.with_name(f"{image.name}.rpi-imager-manifest").write_bytes(made)


def _manifest(  # noqa: PLR0913 - as above
    image: Path, offered: Path, url: str, epoch: int, *, init_format: str, boards: tuple[Board, ...]
) -> bytes:
    entry = {
        "name": f"wordcam {release.VERSION}",
        "description": "A camera that sends words instead of video (64-bit)",
        "icon": _ICON,
        "url": url,
        "extract_size": image.stat().st_size,
        "extract_sha256": _sha256(image),
        "image_download_size": offered.stat().st_size,
        "image_download_sha256": _sha256(offered),
        "release_date": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d"),
        "init_format": init_format,
        "devices": list(dict.fromkeys(board.tag for board in boards)),
        "architecture": "armv8",
        "bmap": f"{image.name}.bmap",
    }
    # Imager offers an image with `devices` only for boards that the same file lists.
    known = [
        {"name": one.name, "description": f"{one.name}, 64-bit", "tags": [one.tag], "matching_type": "exclusive"}
        for one in boards
    ]
    return msgspec.json.format(msgspec.json.encode({"imager": {"devices": known}, "os_list": [entry]}))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
