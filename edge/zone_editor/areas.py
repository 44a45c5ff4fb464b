"""Areas: the zones and masks of one camera, as the page sends them and as edge.yaml has them."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from contract import wire
from edge import config, polygon
from edge.config import Section
from edge.errors import Misconfigured

DIGITS: Final = 3
"""A thousandth of the picture is a pixel or two."""

MAX_BYTES: Final = 64 << 10
"""Sixteen zones and as many masks of 32 corners take a third of it."""

_KEY: Final = re.compile(r"(?P<indent> *)(?P<dash>- +)?(?P<key>[a-z_]+):")

_ITEM: Final = re.compile(r" *- ")


class Areas(Section, frozen=True, kw_only=True):
    """What is drawn."""

    zones: dict[str, config.Polygon] = msgspec.field(default_factory=dict)
    masks: tuple[config.Polygon, ...] = ()


def read(body: bytes) -> Areas:
    """Read what the page sends; raises `Misconfigured` where a name or an outline cannot be."""
    try:
        found = msgspec.json.decode(body, type=Areas)
        for name in found.zones:
            if not re.match(wire.NAME, name):
                raise Misconfigured(f"{name!r}: a name has 1 to 63 of a-z, 0-9 and inner hyphens: north-door")
        # The configuration's own type checks names and outlines, as it will when the device starts.
        msgspec.convert({"kind": "v4l2", **msgspec.to_builtins(found)}, config.V4l2)
    except msgspec.MsgspecError as error:
        raise Misconfigured(str(error)) from error
    if problem := next((said for area in found.zones.values() if (said := polygon.problem(area))), ""):
        raise Misconfigured(problem)
    return found


def lines(areas: Areas) -> list[str]:
    """Write the keys `zones` and `masks` of a camera, without indentation; none of either that is empty."""
    written = []
    if areas.zones:
        written += ["zones:", *(f"  {name}: {_corners(area)}" for name, area in areas.zones.items())]
    if areas.masks:
        written += ["masks:", *(f"  - {_corners(area)}" for area in areas.masks)]
    return written


def put(path: Path, areas: Areas, stream: str | None = None) -> str:
    """Return the text of edge.yaml with other zones and masks of one camera, and all else as it is.

    `stream` names the camera where there are several. Raises `Misconfigured` where the file is written in a way in
    which that cannot be done.
    """
    before = config.load(path)
    text = path.read_text(encoding="utf-8").split("\n")
    camera = before.of(stream).camera
    changed = msgspec.structs.replace(camera, zones=dict(areas.zones), masks=areas.masks)
    if before.single is not None:
        key, made, wanted = "camera", _replaced(text, areas), msgspec.structs.replace(before, single=changed)
    else:
        number = before.cameras.index(camera)
        key, made = "cameras", _replaced_in_list(text, number, areas)
        several = (*before.cameras[:number], changed, *before.cameras[number + 1 :])
        wanted = msgspec.structs.replace(before, cameras=several)
    try:
        after = config.parse(made, path)
    except Misconfigured:
        after = None
    if after != wanted:
        raise Misconfigured(f"{path}: `{key}` is written in a way that this program cannot change; write by hand:")
    return made


def _replaced_in_list(before: Sequence[str], number: int, areas: Areas) -> str:
    """Replace the keys of one item in the block `cameras:`, counted from 0; without such an item, change nothing."""
    head = next((at for at, line in enumerate(before) if re.match(r"cameras:\s*(#.*)?$", line)), None)
    if head is None:
        return "\n".join(before)
    end = _end(before, head + 1, 0, dashed=True)
    dashes = [at for at in range(head + 1, end) if _ITEM.match(before[at])]
    indents = [len(before[at]) - len(before[at].lstrip()) for at in dashes]
    items = [at for at, indent in zip(dashes, indents, strict=True) if indent == indents[0]]
    if number >= len(items):
        return "\n".join(before)
    begin = items[number]
    end = _end(before, begin + 1, indents[0])
    return "\n".join([*before[:begin], *_item(before[begin:end], areas), *before[end:]])


def _item(block: Sequence[str], areas: Areas) -> list[str]:
    """Return the lines of an item of a list, which begins with a dash, with other zones and masks."""
    dash = block[0].index("-")
    block = [f"{block[0][:dash]} {block[0][dash + 1 :]}", *block[1:]]
    indent = len(block[0]) - len(block[0].lstrip())
    kept = [*_without(block, indent), *(" " * indent + one for one in lines(areas))]
    first = next((at for at, one in enumerate(kept) if one.strip() and not _is_comment(one)), 0)
    kept[first] = f"{kept[first][:dash]}-{kept[first][dash + 1 :]}"
    return kept


def _replaced(before: Sequence[str], areas: Areas) -> str:
    """Replace the keys in the block `camera:`."""
    kept: list[str] = []
    number = 0
    while number < len(before):
        line = before[number]
        kept.append(line)
        number += 1
        if not re.match(r"camera:\s*(#.*)?$", line):
            continue
        end = _end(before, number, 0)
        block = before[number:end]
        indent = next((len(one) - len(one.lstrip()) for one in block if one.strip() and not _is_comment(one)), 2)
        kept += _without(block, indent)
        kept += [" " * indent + one for one in lines(areas)]
        number = end
    return "\n".join(kept)


def _without(block: Sequence[str], indent: int) -> list[str]:
    """Return the lines of a mapping without its zones and masks."""
    kept: list[str] = []
    number = 0
    while number < len(block):
        found = _KEY.match(block[number])
        if found and len(found["indent"]) == indent and found["key"] in {"zones", "masks"}:
            number = _end(block, number + 1, indent, dashed=True)
        else:
            kept.append(block[number])
            number += 1
    return kept


def _end(text: Sequence[str], start: int, indent: int, *, dashed: bool = False) -> int:
    """Return the first line from `start` on that is indented no further, without the comments and gaps before it.

    With `dashed`, items of a list belong to the key above them, though they are indented as it is.
    """
    end = start
    for number in range(start, len(text)):
        line = text[number]
        if line.strip() and not _is_comment(line):
            inside = len(line) - len(line.lstrip())
            if inside < indent or (inside == indent and not (dashed and line.lstrip().startswith("- "))):
                break
            end = number + 1
    return end


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _corners(area: Sequence[tuple[float, float]]) -> str:
    return "[" + ", ".join(f"[{_short(x)}, {_short(y)}]" for x, y in area) + "]"


def _short(share: float) -> str:
    return f"{round(share, DIGITS):g}"
