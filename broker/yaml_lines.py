"""Finds the line of a YAML file in which a value stands."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

_step = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


def line(path: Path, where: str) -> int | None:
    """Give the line, from 1, of a dotted path such as `rules[3].says[2]`, or of its nearest parent that is there.

    None where the file cannot be read as YAML.
    """
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    if node is None:
        return None
    at = node
    for key in _keys(where):
        child = _child(at, key)
        if child is None:
            break
        at = child
    return int(at.start_mark.line) + 1


def _keys(where: str) -> Iterator[str | int]:
    for match in _step.finditer(where):
        yield int(match[2]) if match[2] is not None else match[1]


def _child(node: yaml.Node, key: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
        return node.value[key] if key < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == str(key)), None)
    return None
