"""ROUGE-L (Lin 2004), by coco-caption's conventions."""

import math
from collections.abc import Sequence
from typing import Final

from trainer.metrics.grams import References, Tokens, check_pairs

ROUGE_BETA: Final = 1.2
"""How much more recall weighs than precision in coco-caption's ROUGE-L."""


def rouge_l(candidates: Sequence[Tokens], references: Sequence[References]) -> float:
    """Return the mean ROUGE-L (Lin 2004): F-measure of the longest common subsequence, of the best reference."""
    check_pairs(candidates, references)
    scores = [_rouge_l(candidate, refs) for candidate, refs in zip(candidates, references, strict=True)]
    return math.fsum(scores) / len(scores) if scores else 0.0


def _rouge_l(candidate: Tokens, references: References) -> float:
    common = [_longest_common(candidate, reference) for reference in references]
    precision = max(common) / len(candidate) if candidate else 0.0
    recall = max(length / len(ref) if ref else 0.0 for length, ref in zip(common, references, strict=True))
    if not precision or not recall:
        return 0.0
    return (1 + ROUGE_BETA**2) * precision * recall / (recall + ROUGE_BETA**2 * precision)


def _longest_common(ours: Tokens, theirs: Tokens) -> int:
    """Length of the longest common subsequence, row by row."""
    row = [0] * (len(theirs) + 1)
    for word in ours:
        above, row = row, [0]
        for at, other in enumerate(theirs):
            row.append(above[at] + 1 if word == other else max(above[at + 1], row[at]))
    return row[-1]
