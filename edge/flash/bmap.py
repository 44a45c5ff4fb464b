"""Block maps (bmap 2.0): which blocks of an image matter, so that a card's others need not be written."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from edge.errors import Misconfigured
from edge.flash.image_file import CHUNK_BYTES, Extent

BLOCK_BYTES: Final = 4096

_ZERO: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Range:
    """Mapped bytes, and the SHA-256 of their contents."""

    extent: Extent
    sha256: str


@dataclass(frozen=True, slots=True)
class BlockMap:
    """The map of an image."""

    size_bytes: int
    ranges: tuple[Range, ...]


def beside(image: Path) -> Path | None:
    """Find the map of an image: `card.bmap` of `card.img.xz`, or with more of its name; None where there is none."""
    name = image.name
    while name:
        path = image.with_name(f"{name}.bmap")
        if path.exists():
            return path
        name = name.rpartition(".")[0]
    return None


def read(path: Path) -> BlockMap:
    """Read a map; raises `Misconfigured`."""
    try:
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - a file of the owner's own
        block = int(_value(root, "BlockSize"))
        size = int(_value(root, "ImageSize"))
        _require_sha256(root)
        ranges = tuple(_range(found, block, size) for found in root.iter("Range"))
    except (ValueError, ElementTree.ParseError) as error:
        raise Misconfigured(f"{path}: is no block map (bmap 2.0): {error}; without the file, all is written") from error
    return BlockMap(size, ranges)


def of(image: Path, extents: Iterable[Extent]) -> BlockMap:
    """Map extents of an uncompressed image, which begin and end at blocks."""
    with image.open("rb") as file:
        ranges = []
        for extent in extents:
            file.seek(extent.start)
            digest, left = hashlib.sha256(), extent.size
            while left:
                chunk = file.read(min(left, CHUNK_BYTES))
                digest.update(chunk)
                left -= len(chunk)
            ranges.append(Range(extent, digest.hexdigest()))
    return BlockMap(os.stat(image).st_size, tuple(ranges))  # noqa: PTH116 - beside open files


def render(block_map: BlockMap) -> str:
    """Return the XML of a map, whose own checksum is in it."""
    text = _TEMPLATE.format(
        size=block_map.size_bytes,
        block=BLOCK_BYTES,
        blocks=-(-block_map.size_bytes // BLOCK_BYTES),
        mapped=sum(-(-one.extent.size // BLOCK_BYTES) for one in block_map.ranges),
        checksum=_ZERO,
        ranges="\n".join(_lines(block_map.ranges)),
    )
    return text.replace(_ZERO, hashlib.sha256(text.encode()).hexdigest(), 1)


def _lines(ranges: Iterable[Range]) -> Iterator[str]:
    for one in ranges:
        first, last = one.extent.start // BLOCK_BYTES, -(-one.extent.end // BLOCK_BYTES) - 1
        yield f'    <Range chksum="{one.sha256}">{first}-{last}</Range>'


def _range(found: ElementTree.Element, block: int, size: int) -> Range:
    first, _, last = (found.text or "").strip().partition("-")
    end = min((int(last or first) + 1) * block, size)
    extent = Extent(int(first) * block, end)
    if extent.size <= 0:
        raise ValueError(f"the range {found.text} lies behind the end")
    return Range(extent, found.attrib.get("chksum", ""))


def _require_sha256(root: ElementTree.Element) -> None:
    if _value(root, "ChecksumType") != "sha256":
        raise ValueError("its checksums are not SHA-256")


def _value(root: ElementTree.Element, name: str) -> str:
    found = root.findtext(name)
    if found is None:
        raise ValueError(f"it has no {name}")
    return found.strip()


_TEMPLATE: Final = """\
<?xml version="1.0" ?>
<bmap version="2.0">
  <ImageSize>{size}</ImageSize>
  <BlockSize>{block}</BlockSize>
  <BlocksCount>{blocks}</BlocksCount>
  <MappedBlocksCount>{mapped}</MappedBlocksCount>
  <ChecksumType>sha256</ChecksumType>
  <BmapFileChecksum>{checksum}</BmapFileChecksum>
  <BlockMap>
{ranges}
  </BlockMap>
</bmap>
"""
