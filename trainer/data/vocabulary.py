"""Builds the captioner's vocabulary from the training captions."""

from collections import Counter
from collections.abc import Iterable

from contract import vocabulary
from contract.vocabulary import Vocabulary
from trainer.data.example import CaptionExample
from trainer.errors import DataError
from trainer.recipe.recipe import Vocabulary as Limits


def build(examples: Iterable[CaptionExample], limits: Limits) -> Vocabulary:
    """Return the frequent words, most frequent first, alphabetically among equals.

    Raises `DataError` where no word is frequent enough.
    """
    counts = Counter(word for example in examples for sentence in example.sentences for word in sentence)
    frequent = [(-count, word) for word, count in counts.items() if count >= limits.min_count]
    if not frequent:
        raise DataError(f"vocabulary.min_count: no word occurs {limits.min_count} times in the training captions")
    return vocabulary.of(word for _, word in sorted(frequent)[: limits.max_words])
