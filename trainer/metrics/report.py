"""Every figure by which captions are reported, from one pair of candidates and references."""

import logging
from collections.abc import Sequence

from trainer.metrics.bleu import bleu, weighted_bleu
from trainer.metrics.cider import CiderD
from trainer.metrics.grams import References, Tokens
from trainer.metrics.meteor import LeftOut, meteor
from trainer.metrics.overlap import cosine, jaccard, mean
from trainer.metrics.rouge import rouge_l

log = logging.getLogger(__name__)


def figures(
    candidates: Sequence[Tokens], references: Sequence[References], *, meteor_in: str | None = None
) -> dict[str, float]:
    """Return `bleu_1` to `bleu_4`, `cider`, `rouge_l`, `bleu_seed`, `jaccard` and `cosine`.

    `bleu_seed` weighs 1- to 3-grams alike; `jaccard` and `cosine` are means over images and, within one, over its
    references. With the language of the tokens as `meteor_in`, also `meteor`; where it cannot be measured, a warning
    says why. Raises `ValueError` where the two differ in length, or an image has no reference.
    """
    found = {
        **{f"bleu_{order}": score for order, score in enumerate(bleu(candidates, references), 1)},
        "cider": CiderD(references).cached(candidates, references),
        "rouge_l": rouge_l(candidates, references),
        "bleu_seed": weighted_bleu(candidates, references),
        "jaccard": mean(jaccard, candidates, references),
        "cosine": mean(cosine, candidates, references),
    }
    if meteor_in is not None:
        try:
            found["meteor"] = meteor(candidates, references, meteor_in)
        except LeftOut as reason:
            log.warning("%s", reason)
    return found
