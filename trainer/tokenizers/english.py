"""English words: lower case, as coco-caption counts them."""

from trainer.metrics import tokenize


def split(sentence: str) -> tuple[str, ...]:
    """Split a sentence as the metrics do; a vocabulary has the same words."""
    return tuple(tokenize(sentence))
