"""Strict YAML: a file becomes exactly the structure asked for, or one line says which key is wrong."""

import difflib
import os
import re
import types
import typing
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import yaml

from contract import wire
from edge.errors import Misconfigured

NEAR: Final = 0.45
"""Similarity from which another key may have been meant: half of the letters."""

Structure = TypeVar("Structure", bound=msgspec.Struct)


_NOT_YAML: Final = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)
"""What PyYAML lets through: of dates that are none (`2001-99-99`), of `!!int` without digits, of endless nesting."""


class _Loader(yaml.SafeLoader):
    """YAML without the second value of a key that stands twice silently winning."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if not isinstance(name, Hashable):
                raise yaml.MarkedYAMLError(problem="a key is one word", problem_mark=key.start_mark)
            if name in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {name!r} stands twice", problem_mark=key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def load(path: Path, kind: type[Structure]) -> Structure:
    """Read a file as a structure; relative paths in it start at the file's folder.

    Raises `Misconfigured` naming the file, the dotted path of the key and what would be right.
    """
    raw = _parse(path)
    if not isinstance(raw, dict):
        raise Misconfigured(f"{path}: keys and values are expected, not {type(raw).__name__}")
    folder = path.resolve().parent

    def convert(wanted: Any, value: Any) -> Any:
        if wanted is Path and isinstance(value, str) and value:
            return Path(os.path.normpath(folder / value))
        raise ValueError(f"Expected `{getattr(wanted, '__name__', wanted)}`, got {value!r}")

    try:
        _refuse_unknown(path, raw, kind, ())
        return msgspec.convert(raw, kind, dec_hook=convert)
    except RecursionError as error:
        raise Misconfigured(f"{path}: an anchor holds itself") from error
    except msgspec.ValidationError as error:
        raise Misconfigured(f"{path}: {_say(str(error))}") from error


def assigned(option: str, words: Sequence[str], kind: type[Structure]) -> Structure:
    """Read the KEY=VALUE words of a command line's option as a structure without paths; a later word wins.

    Raises `Misconfigured` naming the option, the key and what would be right.
    """
    raw = dict(word.partition("=")[::2] for word in words)
    _refuse_unknown(option, raw, kind, ())
    try:
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Misconfigured(f"{option}: {_say(str(error))}") from error


def _parse(path: Path) -> Any:
    try:
        with path.open(encoding="utf-8") as file:
            return yaml.load(file, _Loader)  # noqa: S506  # a SafeLoader, made stricter
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{path}: byte {error.start} is not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Misconfigured(f"{path}: {where}{error.problem}") from error
    except (yaml.YAMLError, *_NOT_YAML) as error:
        raise Misconfigured(f"{path}: not YAML: {' '.join(str(error).split())}") from error


def _refuse_unknown(path: Path | str, raw: dict[Any, Any], kind: Any, above: tuple[str, ...]) -> None:
    """Raise `Misconfigured` for the first key that the structure does not have, with the nearest it has."""
    fields = typing.get_type_hints(kind)
    tag = msgspec.inspect.type_info(kind)
    tag_field = tag.tag_field if isinstance(tag, msgspec.inspect.StructType) else None
    for key, value in raw.items():
        dotted = ".".join((*above, str(key)))
        if key not in fields and key != tag_field:
            near = difflib.get_close_matches(str(key), fields, n=1, cutoff=NEAR)
            hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(fields)}"
            raise Misconfigured(f"{path}: `{dotted}` is not a key; {hint}")
        kinds = _structures(fields.get(key)) if isinstance(value, dict) else []
        meant = [inner for inner in kinds if _is_meant(inner, value)]
        if kinds and not meant:
            tags = ", ".join(str(msgspec.structs.asdict(msgspec.inspect.type_info(inner))["tag"]) for inner in kinds)
            raise Misconfigured(f"{path}: `{dotted}.kind` is {value.get('kind')!r}; use one of {tags}")
        for inner in meant:
            _refuse_unknown(path, value, inner, (*above, str(key)))


def _structures(hint: Any) -> list[Any]:
    """Give the structures among the alternatives of a type."""
    members = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return [member for member in members if isinstance(member, type) and issubclass(member, msgspec.Struct)]


def _is_meant(kind: Any, raw: dict[Any, Any]) -> bool:
    """Whether a mapping's tag, where its kind has one, says that it is of this kind."""
    info = msgspec.inspect.type_info(kind)
    if not isinstance(info, msgspec.inspect.StructType) or info.tag_field is None:
        return True
    return bool(raw.get(info.tag_field) == info.tag)


def _say(message: str) -> str:
    """Turn a msgspec message into one that names the key first: "`mqtt.port`: Expected `int`, got `str`"."""
    found = re.search(r" - at `\$\.?(.*)`$", message)
    if not found:
        return message
    said = message[: found.start()].removeprefix("Object ")
    if wire.NAME in said.encode().decode("unicode_escape"):
        said = "a name is expected: 1 to 63 of a-z, 0-9 and inner hyphens"
    return f"`{found[1]}`: {said}" if found[1] else said
