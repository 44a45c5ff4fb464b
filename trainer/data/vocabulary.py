"""Builds the captioner's vocabulary from the training captions."""

from collections import Counter
from collections.abc import Iterable

from contract import vocabulary
from contract.sensitive_words import is_sensitive
from contract.vocabulary import SPECIALS, Vocabulary
from trainer.data.example import CaptionExample
from trainer.errors import DataError
from trainer.recipe.recipe import Vocabulary as Limits


def build(examples: Iterable[CaptionExample], limits: Limits, known: Vocabulary | None = None) -> Vocabulary:
    """Return the frequent words, most frequent first, alphabetically among equals.

    The words of `known`, a bundle that training starts from, come first and all stay; no word of race or origin is
    added. Raises `DataError` where no word is frequent enough.
    """
    counts = Counter(word for example in examples for sentence in example.sentences for word in sentence)
    frequent = [
        (-count, word) for word, count in counts.items() if count >= limits.min_count and not is_sensitive(word)
    ]
    if not frequent and known is None:
        raise DataError(f"vocabulary.min_count: no word occurs {limits.min_count} times in the training captions")
    before = known.words[len(SPECIALS) :] if known is not None else ()
    new = [word for _, word in sorted(frequent) if known is None or word not in known.ids]
    return vocabulary.of((*before, *new[: max(0, limits.max_words - len(before))]))
