"""Reads a YAML file into a struct and refuses whatever the struct does not know."""

import difflib
import re
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml
from msgspec import inspect

from broker.config.errors import Misconfigured

Settings = TypeVar("Settings", bound=msgspec.Struct)


_NOT_YAML = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)
"""What PyYAML lets through: of dates that are none (`2001-99-99`), of `!!int` without digits, of endless nesting."""


class _Loader(yaml.SafeLoader):
    """YAML without the trap of a key that stands twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(None, None, "a key is one word", key_node.start_mark)
            if key in seen:
                problem = f"the key `{key}` stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def load(path: Path, kind: type[Settings]) -> Settings:
    """Read `path` as a `kind`; relative paths inside become relative to the file's folder.

    Raises `Misconfigured` naming the file, the dotted path of the field and what would be right.
    """
    tree = _parse(path)
    folder = path.resolve().parent
    try:
        for where, problem in _unknown_keys(tree, inspect.type_info(kind), ""):
            raise Misconfigured(f"{path}: {where}: {problem}")
        return msgspec.convert(tree, kind, dec_hook=lambda wanted, value: _path(wanted, value, folder))
    except RecursionError as error:
        raise Misconfigured(f"{path}: an anchor holds itself") from error
    except msgspec.ValidationError as error:
        raise Misconfigured(f"{path}: {_explain(str(error))}") from error


def nearest(word: str, known: list[str]) -> str:
    """Say which known word the operator may have meant, as the end of a sentence."""
    longer = [name for name in known if name.startswith(word)]
    close = longer or difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(sorted(known)) or 'nothing'}"


def _parse(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}; give the right file with --config") from error
    try:
        return yaml.load(text, Loader=_Loader) or {}  # noqa: S506 - a subclass of SafeLoader
    except (yaml.YAMLError, *_NOT_YAML) as error:
        problem = " ".join(str(error).split())
        raise Misconfigured(f"{path}: not readable as YAML: {problem}") from error


def _unknown_keys(tree: Any, kind: inspect.Type, where: str) -> Iterator[tuple[str, str]]:
    """Walk the tree beside its type and give (dotted path, problem) of every key that the type does not know."""
    match kind:
        case inspect.UnionType(types=types):
            for option in types:
                if not isinstance(option, inspect.NoneType):
                    yield from _unknown_keys(tree, option, where)
        case inspect.StructType(fields=fields) if isinstance(tree, dict):
            known = {field.encode_name: field.type for field in fields}
            for key, value in tree.items():
                path = f"{where}.{key}".lstrip(".")
                if key in known:
                    yield from _unknown_keys(value, known[key], path)
                else:
                    yield path, f"unknown key; {nearest(str(key), list(known))}"
        case inspect.DictType(value_type=value_type) if isinstance(tree, dict):
            for key, value in tree.items():
                yield from _unknown_keys(value, value_type, f"{where}.{key}".lstrip("."))
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item) if isinstance(tree, list):
            for number, value in enumerate(tree):
                yield from _unknown_keys(value, item, f"{where}[{number}]")


def _path(wanted: type, value: Any, folder: Path) -> Any:
    if wanted is Path and isinstance(value, str):
        return folder / Path(value).expanduser()
    raise ValueError(f"Expected a {wanted.__name__.lower()}, got {value!r}")


def _explain(problem: str) -> str:
    """Turn msgspec's "… - at `$.a[0].b`" into "a[0].b: …"."""
    message, _, at = problem.partition(" - at `$")
    where = at.removesuffix("`").lstrip(".")
    if re.match(r"Expected `str(?: \| null)?`, got `(?:int|float|bool)`", message):
        message += "; put the value in quotes"
    return f"{where}: {message}" if where else message
