"""Words that mean the same, from WordNet where NLTK finds it, and the one door to that."""

from collections.abc import Iterator
from functools import lru_cache

from nltk.corpus import wordnet


@lru_cache(maxsize=1024)
def of(word: str) -> tuple[str, ...]:
    """Give a word with the synonyms of its most frequent sense, as a noun and as a verb; alone without WordNet."""
    return tuple(dict.fromkeys((word, *_synonyms(word)))) if are_installed() else (word,)


@lru_cache(maxsize=1)
def are_installed() -> bool:
    """Say whether NLTK finds WordNet (`NLTK_DATA/corpora/wordnet`)."""
    try:
        wordnet.ensure_loaded()
    except (LookupError, OSError):
        return False
    return True


def _synonyms(word: str) -> Iterator[str]:
    for part_of_speech in ("n", "v"):
        for sense in wordnet.synsets(word, pos=part_of_speech)[:1]:
            # Names of several words ("set on fire") are joined by underscores; a phrase of the rules says them better.
            yield from (name.lower() for name in sense.lemma_names() if name.isalpha())
