"""Candidates, references and their n-grams.

Legend: a *candidate* is the token list of one generated sentence; its *references* are the token lists of what people
wrote of the same image; *corpus* functions take one candidate and one list of references an image, in one order.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

Tokens = Sequence[str]
References = Sequence[Tokens]
Gram = tuple[str, ...]

MAX_ORDER: Final = 4
"""Longest n-gram that BLEU and CIDEr look at (Papineni et al. 2002; Vedantam et al. 2015)."""


def grams(tokens: Tokens, order: int) -> Iterator[Gram]:
    """Return every n-gram of exactly `order` tokens, in order, repeats included."""
    return zip(*(tokens[start:] for start in range(order)), strict=False)


def of_all_orders(tokens: Tokens) -> Iterator[Gram]:
    """Return every n-gram of up to `MAX_ORDER` tokens."""
    return chain.from_iterable(grams(tokens, order) for order in range(1, MAX_ORDER + 1))


def check_pairs(candidates: Sequence[Tokens], references: Sequence[References]) -> None:
    """Raise `ValueError` where the two differ in length, or an image has no reference."""
    if len(candidates) != len(references):
        raise ValueError(f"{len(candidates)} candidates cannot be scored against references of {len(references)}")
    if not all(references):
        at = next(number for number, refs in enumerate(references) if not refs)
        raise ValueError(f"image {at} has no reference")
