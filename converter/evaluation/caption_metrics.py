"""How good sentences are, against what people wrote of the same pictures."""

from collections.abc import Sequence

from converter import terminal
from converter.errors import Unusable
from converter.evaluation.coco import Captioned
from edge.infer import image
from edge.infer.captioner import Captioner
from trainer import metrics, tokenizers

Scores = dict[str, float]
"""The figures of `trainer.metrics.figures`, and `images`, how many were scored."""


def evaluate(captioner: Captioner, pictures: Sequence[Captioned], *, meteor: bool = False) -> Scores:
    """Caption every picture with the device's own inference and score the sentences.

    Raises `edge.infer.image.Unreadable` for a broken picture, `Unusable` where the language's analyser is missing.
    """
    sentences = [
        captioner.caption(captioner.encode(image.read(picture.path))).text
        for picture in terminal.track(pictures, "captioning")
    ]
    return score(sentences, pictures, captioner.manifest.language, meteor=meteor)


def score(sentences: Sequence[str], pictures: Sequence[Captioned], language: str, *, meteor: bool = False) -> Scores:
    """Score one sentence a picture; both sides are split by the same tokenizer. Raises `Unusable` as `evaluate`."""
    try:
        tokenize = tokenizers.tokenizer(language)
    except tokenizers.AnalyserMissing as error:
        raise Unusable(str(error)) from error
    candidates = [tokenize(sentence) for sentence in sentences]
    references = [[tokenize(caption) for caption in picture.captions] for picture in pictures]
    figures = metrics.figures(candidates, references, language=language, meteor=meteor)
    return {**figures, "images": len(pictures)}
