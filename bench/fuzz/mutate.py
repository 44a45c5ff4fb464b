"""Spoils good inputs: by the byte, by the word, and by the shape of JSON."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

MAX_BYTES: Final = 1 << 14
"""Of one input: eight times a whole message; what is larger is tested by size alone."""

WORDS: Final[tuple[bytes, ...]] = (
    *(b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\x80", b"\r\n", b"\x1b[2J", "\u2028".encode(), "\ufeff".encode()),
    *(
        "칼".encode(),
        "＝1+1".encode(),
        "\u202e".encode(),
        "👩‍👩‍👧".encode(),
        b"\\ud83d",
        b"\\u0000",
        "İ".encode(),
        "ß".encode(),
    ),
    *(b"NaN", b"-Infinity", b"1e999", b"-0", b"9" * 400, b"0x10", b"1_000", b"1:99", b"null", b"true", b"[]", b"{}"),
    *(b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:59.999999Z", b"2099-01-01T00:00:00Z", b"2026-02-30T25:61:00+99:99"),
    *(b"2001-99-99", b"1900-01-01T00:00:00-23:59", b"T", b"Z", b"+00:00"),
    *(b"'; DROP TABLE caption; --", b"<script>alert(1)</script>", b"=cmd|'/c calc'!A1", b'"', b"'", b"\\", b"%", b"_"),
    *(b"../../etc/passwd", b"%00", b"%ff", b"%", b"${x}", b"{0!r}", b"{name}", b"%s%n", b"*", b"NEAR(", b"a OR b"),
    *(b"? [a]\n: b\n", b"&a [*a]", b"*a", b"<<: *a", b"!!python/object/apply:os.system [ls]", b"!!binary x", b"---\n"),
    *(b"!!timestamp 2001-99-99", b"!!int ''", b"!!float ''", b"- - - -", b"\t", b": ", b"#", b"|", b">", b"!!set {a}"),
    *(
        b"/(a+)+$/",
        b"/(/",
        b"/.*/",
        b"<floor>",
        b"a ... b",
        b"~a",
        b"=a",
        b"a|b",
        b"||",
        b"...",
        b"24:00-00:00",
        b"sat-sun",
    ),
    *(b"[" * 3000, b'{"a":' * 1500, b"a" * 5000, b"- " * 1500, b"(" * 1200, b"&" * 300, b"a=b&" * 300),
    *(b"+82 10 1234 5678", b"+1 202 555 0143", b"STOP", "확인 #1".encode(), b"ok 99999999999999999999", b"3"),
)
"""What has broken readers before: of encodings, numbers, dates, languages within languages, and depth."""

VALUES: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 1.5, 2**31, 2**63, 10**400, "", "x" * 300, "\x00", "\u2028", [], {}, [[]], {"": None}),
    *(
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "2099-01-01T00:00:00Z",
        "../x",
        "칼",
        "<b>",
        [1, "a", None],
    ),
)
"""What stands in a JSON document in place of what should."""


def spoil(data: bytes, seeds: Sequence[bytes], dice: random.Random) -> bytes:
    """Return another input, made of this one by one to six changes."""
    for _ in range(1 if dice.random() < 0.5 else dice.randint(2, 6)):
        data = dice.choice(CHANGES)(data, seeds, dice)
    return data[:MAX_BYTES]


def _flip(data: bytes, _seeds: Sequence[bytes], dice: random.Random) -> bytes:
    if not data:
        return bytes([dice.randrange(256)])
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]


def _cut(data: bytes, _seeds: Sequence[bytes], dice: random.Random) -> bytes:
    start, end = _span(data, dice)
    return data[:start] + data[end:]


def _repeat(data: bytes, _seeds: Sequence[bytes], dice: random.Random) -> bytes:
    start, end = _span(data, dice)
    return data[:end] + data[start:end] * dice.choice((1, 1, 2, 40)) + data[end:]


def _word(data: bytes, _seeds: Sequence[bytes], dice: random.Random) -> bytes:
    start, end = _span(data, dice)
    return data[:start] + dice.choice(WORDS) + data[end if dice.random() < 0.5 else start :]


def _splice(data: bytes, seeds: Sequence[bytes], dice: random.Random) -> bytes:
    other = dice.choice(seeds)
    start, end = _span(other, dice)
    at = dice.randint(0, len(data))
    return data[:at] + other[start:end] + data[at + dice.choice((0, end - start)) :]


def _shape(data: bytes, _seeds: Sequence[bytes], dice: random.Random) -> bytes:
    """Change one place of a JSON document; what is none stays as it is."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return data
    places = [("root", None), *_places(tree)]
    _, place = dice.choice(places)
    if place is None:
        return json.dumps([tree] if dice.random() < 0.5 else dice.choice(VALUES)).encode()
    holder, key = place
    if dice.random() < 0.2:
        del holder[key]
    elif isinstance(holder, dict) and dice.random() < 0.3:
        holder[dice.choice(("", "x", "__class__", f"{key} "))] = holder[key]
    else:
        holder[key] = dice.choice(VALUES)
    return json.dumps(tree, ensure_ascii=dice.random() < 0.5).encode("utf-8", errors="surrogatepass")


def _places(tree: Any) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    waiting = [tree]
    while waiting and len(found) < 500:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        found += [("inner", (holder, key)) for key in keys]
        waiting += [holder[key] for key in keys]
    return found


def _span(data: bytes, dice: random.Random) -> tuple[int, int]:
    start = dice.randint(0, len(data))
    return start, min(len(data), start + dice.choice((0, 1, 1, 2, 4, 8, 16, 64)))


CHANGES: Final[tuple[Callable[[bytes, Sequence[bytes], random.Random], bytes], ...]] = (
    *(_flip, _cut, _repeat, _word, _word, _splice, _shape, _shape),
)
