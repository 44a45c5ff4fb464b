"""How good sentences are, against what people wrote of the same pictures."""

from collections.abc import Sequence

from converter import progress
from converter.coco import Captioned
from edge.infer import pixels
from edge.infer.captioner import Captioner
from trainer import metrics
from trainer.metrics import CiderD

Scores = dict[str, float]
"""`bleu_1` to `bleu_4`, `cider`, `rouge_l` (fractions; CIDEr from 0 to 10) and `images`, how many were scored."""


def evaluate(captioner: Captioner, pictures: Sequence[Captioned]) -> Scores:
    """Caption every picture with the device's own inference and score the sentences.

    Raises `edge.infer.pixels.Unreadable` for a broken picture.
    """
    sentences = [
        captioner.caption(captioner.encode(pixels.read(picture.path))).text
        for picture in progress.over(pictures, "captioning")
    ]
    return score(sentences, pictures)


def score(sentences: Sequence[str], pictures: Sequence[Captioned]) -> Scores:
    """Score one sentence a picture; both sides are split by the same tokenizer."""
    candidates = [metrics.tokenize(sentence) for sentence in sentences]
    references = [[metrics.tokenize(caption) for caption in picture.captions] for picture in pictures]
    bleu = metrics.bleu(candidates, references)
    return {
        **{f"bleu_{order}": share for order, share in enumerate(bleu, 1)},
        "cider": CiderD(references).corpus(candidates, references),
        "rouge_l": metrics.rouge_l(candidates, references),
        "images": len(pictures),
    }
