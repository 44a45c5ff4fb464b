"""Strict YAML: a file becomes exactly the structure asked for, or one line says which key is wrong."""

import difflib
import logging
import os
import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import yaml
from msgspec import inspect

from foundation.errors import Misconfigured, from_os_error

Structure = TypeVar("Structure", bound=msgspec.Struct)

Steps = tuple[str | int, ...]
"""The keys and numbers that lead from the whole file to a value."""

NEAR: Final = 0.45
"""Similarity, from 0 to 1, from which another key may have been meant: about half of the letters."""

_NOT_YAML: Final = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)
"""Errors that PyYAML lets through: for impossible dates (`2001-99-99`), `!!int` without digits, endless nesting."""

_ANY_KEY: Final = "..."
"""How msgspec names a key of a mapping with free keys."""

_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\.\.\.)\]")

log = logging.getLogger(__name__)


class FileProblem(Misconfigured):
    """One mistake of a file: `broker.yaml:7: mqtt.prt: unknown key; did you mean `port`?`."""

    def __init__(self, name: str, line: int | None, where: str, problem: str) -> None:
        self.name = name
        """The file, as it was named."""
        self.line = line
        """From 1; None where the file as a whole is meant."""
        self.where = where
        """Dotted path of the value, `rules[3].says[2]`; "" for the whole file."""
        self.problem = problem
        """What is wrong, and what would be right."""
        place = name if line is None else f"{name}:{line}"
        super().__init__(": ".join(part for part in (place, where, problem) if part))


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is YAML, and in which line each value stands."""

    name: str
    """As messages call it."""
    folder: Path
    """Where its relative paths start."""
    tree: Any
    """What it holds; None where it is empty."""
    _root: yaml.Node | None = field(default=None, repr=False)

    def line(self, where: str) -> int | None:
        """Return the line, from 1, of `rules[3].says[2]` or of its nearest parent that is there; None for ""."""
        return self._line(_keys(where))

    def convert(self, kind: type[Structure]) -> Structure:
        """Return the file as a structure.

        Text is read in Unicode's composed form (NFC) and paths as they are written. A key that the structure calls by
        another name in its `OLD_KEYS` is read and logged. Raises `FileProblem`.
        """
        return self._convert(kind, strict=True)

    def _convert(self, kind: type[Structure], *, strict: bool) -> Structure:
        def hook(wanted: type, value: object) -> Path:
            if wanted is Path:
                return located(self.folder, value)
            raise ValueError(f"expected `{wanted.__name__}`, got {value!r}")

        def convert(tree: object) -> Structure:
            return msgspec.convert(tree, kind, strict=strict, dec_hook=hook)

        info = inspect.type_info(kind)
        tree = {} if self.tree is None else self.tree
        if not isinstance(tree, dict):
            found = "a list" if isinstance(tree, list) else repr(tree)
            raise FileProblem(self.name, None, "", f"expected keys with values, got {found}")
        tree = self._known(tree, info, ())
        try:
            return convert(tree)
        except msgspec.ValidationError as error:
            problem, at = _blamed(error, tree, convert)
            raise self._problem(at, _plain(problem, info, at)) from error

    def _known(self, tree: Any, kind: inspect.Type, at: Steps) -> Any:
        """Return the tree with today's keys and composed text; raises `FileProblem` for a key nobody knows."""
        if isinstance(kind, inspect.UnionType):
            kind = self._meant(tree, kind.types, at)
        if isinstance(kind, inspect.Metadata):
            kind = kind.type
        match kind:
            case inspect.StructType() if isinstance(tree, dict):
                return self._known_keys(tree, kind, at)
            case inspect.DictType(key_type=key, value_type=value) if isinstance(tree, dict):
                return {self._known(k, key, (*at, k)): self._known(v, value, (*at, k)) for k, v in tree.items()}
            case (
                inspect.ListType(item_type=item)
                | inspect.VarTupleType(item_type=item)
                | inspect.SetType(item_type=item)
                | inspect.FrozenSetType(item_type=item)
            ) if isinstance(tree, list):
                return [self._known(value, item, (*at, number)) for number, value in enumerate(tree)]
            case inspect.StrType() if isinstance(tree, str):
                return unicodedata.normalize("NFC", tree)
        return tree

    def _known_keys(self, tree: dict[Any, Any], kind: inspect.StructType, at: Steps) -> dict[Any, Any]:
        fields = {known.encode_name: known.type for known in kind.fields}
        renamed = _old_keys(kind)
        found: dict[Any, Any] = {}
        for key, value in tree.items():
            now = renamed.get(key, key)
            if now != key:
                if now in tree:
                    raise self._problem((*at, key), f"this is the old name of `{now}`, which is there too; keep one")
                log.warning("old key", extra={"file": self.name, "key": _dotted((*at, key)), "write": now})
            if now in fields:
                found[now] = self._known(value, fields[now], (*at, key))
            elif now == kind.tag_field:
                found[now] = value
            else:
                raise self._problem((*at, key), f"unknown key; {nearest(str(key), fields)}")
        return found

    def _meant(self, tree: Any, options: Iterable[inspect.Type], at: Steps) -> inspect.Type:
        """Return the alternative that a value of its kind must be: a mapping by its tag, text, or a list."""
        plain = [option.type if isinstance(option, inspect.Metadata) else option for option in options]
        structs = [option for option in plain if isinstance(option, inspect.StructType)]
        tagged = {option.tag: option for option in structs if option.tag_field is not None}
        if isinstance(tree, dict) and tagged:
            tag_field = next(iter(tagged.values())).tag_field
            tag = tree.get(tag_field)
            if not isinstance(tag, str) or tag not in tagged:
                place = (*at, str(tag_field)) if tag_field in tree else at
                said = f"{tag!r} is unknown" if tag_field in tree else f"required key `{tag_field}` is missing"
                raise self._problem(place, f"{said}; use one of {', '.join(map(str, tagged))}")
            return tagged[tag]
        wanted: tuple[type[inspect.Type], ...] = ()
        if isinstance(tree, dict):
            wanted = (inspect.StructType, inspect.DictType)
        elif isinstance(tree, list):
            wanted = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)
        elif isinstance(tree, str) and not any(isinstance(option, inspect.CustomType) for option in plain):
            wanted = (inspect.StrType,)
        return next((option for option in plain if isinstance(option, wanted)), inspect.AnyType())

    def _problem(self, at: Steps, problem: str) -> FileProblem:
        return FileProblem(self.name, self._line(at), _dotted(at), problem)

    def _line(self, at: Steps) -> int | None:
        if self._root is None or not at:
            return None
        node, start = self._root, None
        for key in at:
            found = _child(node, key)
            if found is None:
                break
            start, node = found
        return None if start is None else int(start.line) + 1


class _Refused(yaml.MarkedYAMLError):
    """What YAML allows and this reader does not."""


class _Loader(yaml.SafeLoader):
    """YAML without the second value of a key that stands twice silently winning."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if not isinstance(name, Hashable):
                raise _Refused(problem="a key must be one word", problem_mark=key.start_mark)
            if name in seen:
                raise _Refused(problem=f"the key `{name}` stands twice", problem_mark=key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+\Z"), list("-+0123456789")
)
# YAML 1.1, which PyYAML reads, takes `1e-3` for text; YAML 1.2 and everyone who trains models take it for a number.


def load(path: Path, kind: type[Structure], *, if_missing: str = "") -> Structure:
    """Return a file as a structure; relative paths in it start at the file's folder, and `~` is the home folder.

    Raises `FileProblem` naming the file, the line, the dotted path of the key and what would be right. A file that
    cannot be read is `Misconfigured`, with `if_missing` for one that is not there, or `TryAgain`, as for a failed disk.
    """
    return read(path, if_missing=if_missing).convert(kind)


def read(path: Path, *, if_missing: str = "") -> Document:
    """Return a file of UTF-8 YAML, with or without a byte order mark; raises as `load` does."""
    return parse(text_of(path, if_missing=if_missing), str(path), path.resolve().parent)


def text_of(path: Path, *, if_missing: str = "") -> str:
    """Return the text of a file of UTF-8, without a byte order mark; raises as `load` does."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"byte {error.start} is not UTF-8; save the file as UTF-8"
        raise FileProblem(str(path), error.object.count(b"\n", 0, error.start) + 1, "", problem) from error
    except FileNotFoundError as error:
        raise from_os_error(error, str(path), remedy=if_missing) from error
    except OSError as error:
        raise from_os_error(error, str(path)) from error


def parse(text: str, name: str, folder: Path) -> Document:
    """Return YAML that stands in no file of its own, as a form's or a package's; raises `FileProblem` with `name`."""
    loader = _Loader("")
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        _refuse_circle(root, above=set(), done=set())
        tree = None if root is None else loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else int(mark.line) + 1
        problem = str(error.problem or error.context)
        kind = "" if isinstance(error, _Refused) else "not YAML: "
        raise FileProblem(name, line, "", kind + problem) from error
    except (yaml.YAMLError, *_NOT_YAML) as error:
        raise FileProblem(name, None, "", f"not YAML: {' '.join(str(error).split())}") from error
    finally:
        loader.dispose()
    return Document(name, folder, tree, root)


def _refuse_circle(node: yaml.Node | None, *, above: set[int], done: set[int]) -> None:
    """Raise `_Refused` where an anchor holds itself; `above` and `done` are ids of nodes."""
    if not isinstance(node, yaml.CollectionNode) or id(node) in done:
        return
    if id(node) in above:
        raise _Refused(problem="an anchor (&name) refers to itself", problem_mark=node.start_mark)
    above.add(id(node))
    for value in node.value:
        for inner in value if isinstance(value, tuple) else (value,):
            _refuse_circle(inner, above=above, done=done)
    above.remove(id(node))
    done.add(id(node))


def assigned(option: str, words: Sequence[str], kind: type[Structure]) -> Structure:
    """Return the KEY=VALUE words of a command line's option as a structure; a later word wins.

    Paths start at the current folder. Raises `FileProblem` naming the option, the key and what would be right.
    """
    tree = dict(word.partition("=")[::2] for word in words)
    return Document(option, Path.cwd(), tree)._convert(kind, strict=False)


def located(folder: Path, value: object) -> Path:
    """Return a path as a file in `folder` writes it; raises `ValueError` where it is none."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected a path, got {value!r}")
    try:
        return Path(os.path.normpath(folder / Path(value).expanduser()))
    except RuntimeError as error:
        raise ValueError(f"{value!r}: there is no such user's home folder") from error


def today(kind: type[msgspec.Struct], where: str) -> str:
    """Return a dotted key with today's name in place of each old one: `tuning.views` is `finetuning.augmentations`."""
    shape: inspect.Type = inspect.type_info(kind)
    keys: list[str] = []
    for key in where.split("."):
        struct = next((one for one in _alternatives(shape) if isinstance(one, inspect.StructType)), None)
        if struct is None:
            keys.append(key)
            continue
        keys.append(_old_keys(struct).get(key, key))
        shape = next((known.type for known in struct.fields if known.encode_name == keys[-1]), inspect.AnyType())
    return ".".join(keys)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return which known word the operator may have meant, as the end of a sentence."""
    names = list(known)
    longer = [name for name in names if word and name.startswith(word)]
    close = longer or difflib.get_close_matches(word, names, n=1, cutoff=NEAR)
    return f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(sorted(names)) or 'nothing'}"


def _old_keys(kind: inspect.StructType) -> Mapping[str, str]:
    return getattr(kind.cls, "OLD_KEYS", {})


def _alternatives(kind: inspect.Type) -> Iterator[inspect.Type]:
    """Yield the types that a value, or an item of a list, may have."""
    match kind:
        case inspect.Metadata(type=inner):
            yield from _alternatives(inner)
        case inspect.UnionType(types=options):
            for option in options:
                yield from _alternatives(option)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            yield from _alternatives(item)
        case _:
            yield kind


def _keys(where: str) -> Steps:
    """Read `rules[3].says[2]`."""
    found = _STEP.finditer(where)
    return tuple(match[1] or (match[2] if match[2] == _ANY_KEY else int(match[2])) for match in found)


def _dotted(at: Steps) -> str:
    """Write `rules[3].says[2]`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in at).removeprefix(".")


def _child(node: yaml.Node, key: str | int) -> tuple[yaml.Mark, yaml.Node] | None:
    """Return where a key or an item begins, and its value."""
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key].start_mark, node.value[key]
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == str(key):
                return name.start_mark, value
    return None


def _blamed(error: msgspec.ValidationError, tree: Any, convert: Callable[[Any], object]) -> tuple[str, Steps]:
    """Return msgspec's message and the path of the value, with the free keys that msgspec leaves out."""
    problem, at = _split(str(error))
    while _ANY_KEY in at:
        place = at.index(_ANY_KEY)
        above, below = at[:place], at[place + 1 :]
        for key, value in _value(tree, above).items():
            alone = _with(tree, above, {key: value})
            try:
                convert(alone)
            except msgspec.ValidationError as again:
                said, where = _split(str(again))
                if where[: place + 1] == (*above, _ANY_KEY):
                    problem, at, tree = said, (*above, str(key), *where[place + 1 :]), alone
                    break
        else:
            at = (*above, *below)
    return problem, at


def _split(message: str) -> tuple[str, Steps]:
    """Split "Expected … - at `$.a[0].b`", or "… - at `key` in `$.a`", into the message and the path."""
    problem, _, place = message.partition(" - at `")
    in_key = place.startswith("key` in `")
    at = _keys(place.removeprefix("key` in `").removeprefix("$").removesuffix("`"))
    return problem, (*at, _ANY_KEY) if in_key else at


def _value(tree: Any, at: Steps) -> Any:
    for key in at:
        tree = tree[key]
    return tree


def _with(tree: Any, at: Steps, value: Any) -> Any:
    """Return the tree with another value at a path."""
    if not at:
        return value
    first, *rest = at
    inner = _with(tree[first], tuple(rest), value)
    if isinstance(tree, dict):
        return {**tree, first: inner}
    return [inner if number == first else item for number, item in enumerate(tree)]


def _plain(problem: str, info: inspect.Type, at: Steps) -> str:
    """Add what would be right to a message of msgspec's."""
    problem = re.sub(r"^Object missing required field (`.*`)$", r"required key \1 is missing", problem)
    if re.match(r"Expected `str(?: \| null)?`, got `(?:int|float|bool|date|datetime)`", problem):
        return f"{problem}; put the value in quotes"
    if re.match(r"Expected `(?:int|float)(?: \| null)?`, got `str`", problem):
        return f"{problem}; write a number without quotes"
    expected = list(_expected(info, at))
    for kind in expected:
        if isinstance(kind, inspect.LiteralType) and problem.startswith("Invalid enum value"):
            return f"{problem}; use one of {', '.join(map(str, kind.values))}"
        if isinstance(kind, inspect.Metadata) and "matching regex" in problem:
            said = (kind.extra_json_schema or {}).get("description")
            return f"{problem.partition(' matching')[0]}: {said}" if said else problem
    return problem


def _expected(kind: inspect.Type, at: Steps) -> Iterable[inspect.Type]:
    """Yield the types that a value at a path may have."""
    if isinstance(kind, inspect.UnionType):
        for option in kind.types:
            yield from _expected(option, at)
    elif isinstance(kind, inspect.Metadata):
        if not at:
            yield kind
        yield from _expected(kind.type, at)
    elif not at:
        yield kind
    elif isinstance(kind, inspect.StructType):
        for known in kind.fields:
            if known.encode_name == at[0]:
                yield from _expected(known.type, at[1:])
    elif isinstance(kind, inspect.DictType):
        yield from _expected(kind.value_type, at[1:])
    elif isinstance(kind, inspect.ListType | inspect.VarTupleType):
        yield from _expected(kind.item_type, at[1:])
