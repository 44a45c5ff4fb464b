"""The lists of words in `rules.yaml`, expanded, and synonyms from WordNet; the one module that imports NLTK."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from broker.rules import sentence

LIST_NAME: Final = re.compile(r"<([a-z0-9-]+)>")

MAX_WORDS: Final = 10_000
"""Words in one list: an everyday vocabulary. A list of lists may not grow beyond it."""


class InCircles(ValueError):
    """Lists name each other in a circle."""


def expand(lists: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Replace the names of lists by their words; raises `ValueError` naming the list and what would be right."""
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
            words[sentence.folded(entry)] = None
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


@lru_cache(maxsize=1024)
def with_synonyms(word: str) -> tuple[str, ...]:
    """Return a word with the synonyms of its most frequent sense, as a noun and as a verb; alone without WordNet."""
    return tuple(dict.fromkeys((word, *_synonyms(word)))) if wordnet_is_installed() else (word,)


@lru_cache(maxsize=1)
def wordnet_is_installed() -> bool:
    """Return whether NLTK finds WordNet (`NLTK_DATA/corpora/wordnet`)."""
    # NLTK takes seconds and a hundred megabytes to import; only rules with `~word` need it.
    from nltk.corpus import wordnet  # noqa: PLC0415 - see above

    try:
        wordnet.ensure_loaded()
    except (LookupError, OSError):
        return False
    return True


def _synonyms(word: str) -> Iterator[str]:
    from nltk.corpus import wordnet  # noqa: PLC0415 - as above

    for part_of_speech in ("n", "v"):
        for sense in wordnet.synsets(word, pos=part_of_speech)[:1]:
            # Names of several words ("set on fire") are joined by underscores; they belong into a phrase of the rules.
            yield from (name.lower() for name in sense.lemma_names() if name.isalpha())
