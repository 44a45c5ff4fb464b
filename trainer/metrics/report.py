"""Every figure by which captions are reported, from one pair of candidates and references."""

import logging
from collections.abc import Sequence

from trainer.metrics.bleu import bleu, weighted_bleu
from trainer.metrics.cider import CiderD
from trainer.metrics.grams import References, Tokens
from trainer.metrics.invented import invented
from trainer.metrics.meteor import LeftOut
from trainer.metrics.meteor import meteor as score_meteor
from trainer.metrics.overlap import cosine, jaccard, mean
from trainer.metrics.rouge import rouge_l

log = logging.getLogger(__name__)


def figures(
    candidates: Sequence[Tokens], references: Sequence[References], *, language: str = "", meteor: bool = False
) -> dict[str, float]:
    """Return `bleu_1` to `bleu_4`, `cider`, `rouge_l`, `bleu_seed`, `jaccard` and `cosine`.

    `bleu_seed` weighs 1- to 3-grams alike; `jaccard` and `cosine` are means over images and, within one, over its
    references. Of English tokens also `invented`. With `meteor` also that, where it can be measured in the language; a
    warning says why not. Raises `ValueError` where the two differ in length, or an image has no reference.
    """
    found = {
        **{f"bleu_{order}": score for order, score in enumerate(bleu(candidates, references), 1)},
        "cider": CiderD(references).cached(candidates, references),
        "rouge_l": rouge_l(candidates, references),
        "bleu_seed": weighted_bleu(candidates, references),
        "jaccard": mean(jaccard, candidates, references),
        "cosine": mean(cosine, candidates, references),
    }
    if language == "en":
        found["invented"] = invented(candidates, references)
    if meteor:
        try:
            found["meteor"] = score_meteor(candidates, references, language)
        except LeftOut as reason:
            log.warning("%s", reason)
    return found
