"""Tables of a struct's fields: the names and limits from its types, the meaning from the text under each field."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import NODEFAULT
from msgspec import inspect as types

from contract import wire
from contract.docs.source import texts_under_fields

Kind = type[msgspec.Struct]


def meanings(kind: Kind) -> dict[str, str]:
    """Read the text that stands under each field in the source; raises `LookupError` for a field without one."""
    found = texts_under_fields(kind)
    silent = [name for name in kind.__struct_fields__ if name not in found]
    if silent:
        raise LookupError(f"{kind.__module__}.{kind.__name__}: no text stands under {', '.join(silent)}")
    return found


def structs(kind: Kind) -> list[Kind]:
    """List a struct and every struct its fields hold, each once, in reading order."""
    found: list[Kind] = []

    def collect(shape: types.Type) -> None:
        match shape:
            case types.StructType(cls=cls) if cls not in found:
                found.append(cls)
                for field in shape.fields:
                    collect(field.type)
            case types.UnionType(types=parts):
                for part in parts:
                    collect(part)
            case types.VarTupleType(item_type=item):
                collect(item)
            case types.DictType(value_type=value):
                collect(value)

    collect(types.type_info(kind))
    return found


def table(kind: Kind) -> str:
    """Return a Markdown table of a struct's fields."""
    said = meanings(kind)
    rows = [
        f"| `{field.encode_name}` | {words(field.type)} | {_default(field)} | {_cell(said[field.name])} |"
        for field in _fields(kind)
    ]
    return "\n".join(["| Field | What it holds | If absent | Meaning |", "|---|---|---|---|", *rows])


def _fields(kind: Kind) -> tuple[types.Field, ...]:
    match types.type_info(kind):
        case types.StructType(fields=found):
            return found
    raise TypeError(f"{kind.__name__} is no struct")


def words(shape: types.Type) -> str:
    """Say in words what values a type holds."""
    if isinstance(shape, types.Metadata):  # what error messages call it
        shape = shape.type
    match shape:
        case types.StructType(cls=cls):
            said = f"[{cls.__name__}](#{cls.__name__.lower()})"
        case types.UnionType(types=parts):
            said = " or ".join(words(part) for part in parts)
        case types.VarTupleType(item_type=item, min_length=low, max_length=high):
            said = f"list of {words(item)}{_range(low, high, 'of them')}"
        case types.DictType(key_type=key, value_type=value):
            said = f"object: {words(key)} → {words(value)}"
        case types.EnumType(cls=cls):
            said = _choice([member.value for member in cls])
        case types.LiteralType(values=values):
            said = _choice(values)
        case _:
            said = _plain(shape)
    return said


def _plain(shape: types.Type) -> str:
    match shape:
        case types.StrType(min_length=low, max_length=high, pattern=pattern):
            said = "text" + _range(low, high, "characters")
            if pattern is not None:
                said += f", `{_cell(pattern.replace(wire.END, '$'))}`"
        case types.IntType(ge=low, le=high):
            said = "whole number" + _range(low, high)
        case types.FloatType(ge=low, le=high):
            said = "number" + _range(low, high)
        case types.BoolType():
            said = "true or false"
        case types.DateTimeType():
            said = "time"
        case types.NoneType():
            said = "null"
        case _:
            raise LookupError(f"the documentation has no words for {shape}")
    return said


def _choice(values: Iterable[object]) -> str:
    return " or ".join(f"`{value}`" for value in values)


def _range(low: float | None, high: float | None, unit: str = "") -> str:
    if low is None and high is None:
        return ""
    limits = f"at most {high}" if low is None else f"at least {low}" if high is None else f"{low} to {high}"
    return f", {limits} {unit}".rstrip()


def _default(field: types.Field) -> str:
    if field.required:
        return "refused"
    value: Any = field.default
    if value is NODEFAULT:
        value = field.default_factory() if callable(field.default_factory) else None
    if value is msgspec.UNSET:
        return "nothing"
    text = msgspec.json.encode(value).decode()
    return "each at its default" if text.startswith("{") and text != "{}" else f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
