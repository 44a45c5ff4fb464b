"""How many bits a message can carry at most, by its schema: what someone who chooses each field can say by it."""

import math
from typing import Any, Final

import msgspec

from contract import wire

UNICODE: Final = 0x110000 - 0x800
"""Characters that UTF-8 can write: all code points but surrogates."""

NAME_CHARACTERS: Final = 37
"""Of a name: a-z, 0-9 and the hyphen."""

ID_CHARACTERS: Final = 64
"""Of an event's id: A-Z, a-z, 0-9, the hyphen and the underscore."""

FLOAT_BITS: Final = 64.0

MOMENT_BITS: Final = math.log2((wire.YEARS.stop - wire.YEARS.start) * 366 * 86_400 * 1_000_000)
"""A moment to the microsecond."""

_ALPHABETS: Final = {wire.NAME: NAME_CHARACTERS, r"^[A-Za-z0-9_-]+" + wire.END: ID_CHARACTERS}


def bits(kind: type[msgspec.Struct]) -> float:
    """Return a bound of the bits of one message: the sum of its fields' bits, and at most those of its bytes."""
    schema = wire.schema(kind)
    total = _bits(schema, schema.get("$defs", {}))
    return min(total, wire.MAX_BYTES * 8.0)


def field_bits(kind: type[msgspec.Struct]) -> dict[str, float]:
    """Return a bound of the bits of each field; infinite where the schema alone does not bound it."""
    schema = wire.schema(kind)
    definitions = schema.get("$defs", {})
    return {name: _bits(field, definitions) for name, field in _object(schema, definitions)["properties"].items()}


def _object(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    return schema


def _bits(schema: dict[str, Any], definitions: dict[str, Any]) -> float:
    schema = _object(schema, definitions)
    if "enum" in schema:
        return math.log2(len(schema["enum"]))
    if "anyOf" in schema:
        return math.log2(len(schema["anyOf"])) + max(_bits(each, definitions) for each in schema["anyOf"])
    kind = schema.get("type")
    if kind == "object":
        # One bit more where a field may be left out.
        needed = set(schema.get("required", ()))
        fields = schema["properties"].items()
        return sum(_bits(field, definitions) + (name not in needed) for name, field in fields)
    if kind == "array":
        most = schema.get("maxItems", math.inf)
        return float(math.log2(most + 1) + most * _bits(schema["items"], definitions))
    return _plain_bits(schema)


def _plain_bits(schema: dict[str, Any]) -> float:
    match schema.get("type"):
        case "string":
            return _string(schema)
        case "integer":
            return math.log2(schema.get("maximum", math.inf) - schema.get("minimum", -math.inf) + 1)
        case "number":
            return FLOAT_BITS
        case "boolean":
            return 1.0
    return 0.0  # null


def _string(schema: dict[str, Any]) -> float:
    if schema.get("format") == "date-time":
        return MOMENT_BITS
    alphabet = _ALPHABETS.get(schema.get("pattern", ""), UNICODE)
    most = 63 if alphabet == NAME_CHARACTERS else schema.get("maxLength", math.inf)
    return float(most * math.log2(alphabet) + math.log2(most + 1))
