"""Metrics of captions against references: functions over tokens, by the conventions of coco-caption.

Every score is a fraction from 0 to 1 except CIDEr, which runs from 0 to 10; of `invented`, less is better. All
are pure but METEOR, which starts Java.
"""

from trainer.metrics.bleu import bleu, weighted_bleu
from trainer.metrics.cider import CiderD
from trainer.metrics.grams import References, Tokens
from trainer.metrics.invented import invented
from trainer.metrics.meteor import LeftOut, meteor
from trainer.metrics.overlap import cosine, jaccard
from trainer.metrics.report import figures
from trainer.metrics.rouge import rouge_l
from trainer.metrics.tokens import tokenize

__all__ = [
    "CiderD",
    "LeftOut",
    "References",
    "Tokens",
    "bleu",
    "cosine",
    "figures",
    "invented",
    "jaccard",
    "meteor",
    "rouge_l",
    "tokenize",
    "weighted_bleu",
]
