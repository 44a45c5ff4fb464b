"""The lists of words in `rules.yaml`, each with the lists that it names put in."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

LIST_NAME: Final = re.compile(r"<([a-z0-9-]+)>")

MAX_WORDS: Final = 10_000
"""Words in one list: an everyday vocabulary. A list of lists may not grow beyond it."""


class InCircles(ValueError):
    """Lists name each other in a circle."""


def expand(lists: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Put every named list in; raises `ValueError` naming the list and what would be right."""
    done: dict[str, tuple[str, ...]] = {}
    for name in lists:
        _expand(name, lists, done, ())
    return done


def _expand(
    name: str, lists: Mapping[str, Sequence[str]], done: dict[str, tuple[str, ...]], above: tuple[str, ...]
) -> tuple[str, ...]:
    if name in done:
        return done[name]
    if name in above:
        circle = (*above[above.index(name) :], name)
        way = " names ".join(f"<{step}>" for step in circle)
        raise InCircles(f"lists.{circle[0]}: {way}: a list cannot hold itself; take one of them out")
    words: dict[str, None] = {}
    for entry in lists[name]:
        named = LIST_NAME.fullmatch(entry)
        if named is None:
            words[entry.lower()] = None
        elif named[1] in lists:
            words.update(dict.fromkeys(_expand(named[1], lists, done, (*above, name))))
        else:
            raise ValueError(f"lists.{name}: {unknown(named[1], lists)}")
    if len(words) > MAX_WORDS:
        raise ValueError(f"lists.{name}: {len(words)} words; {MAX_WORDS} are allowed")
    done[name] = tuple(words)
    return done[name]


def unknown(name: str, lists: Mapping[str, Sequence[str]]) -> str:
    """Say that there is no such list, and which there are."""
    return f"there is no list <{name}>; lists here: {', '.join(sorted(lists)) or 'none'}"
