"""Measures a trained run on its validation pictures, in float32."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from contract import vocabulary
from trainer import metrics, tokenizers
from trainer.data.example import Picture
from trainer.data.prepare import Prepared
from trainer.metrics import Tokens
from trainer.models import beam_search
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import Run
from trainer.training.stages import captioner, detector


def captions(recipe: Recipe, prepared: Prepared, run: Run, *, meteor: bool = False) -> dict[str, dict[str, float]]:
    """Give the figures of the beam's best sentence for each set of pictures that people captioned."""
    _, val = captioner.corpora(recipe, prepared, run)
    model = captioner.load(recipe, prepared.vocabulary, val.views[0].shape[-1], run)
    spoken = list(beam_search.speak(model, val.views[0], prepared.vocabulary, recipe.decoding))
    return figures(recipe, val.pictures, spoken, meteor=meteor)


def figures(
    recipe: Recipe, pictures: Sequence[Picture], spoken: Sequence[Tokens], *, meteor: bool = False
) -> dict[str, dict[str, float]]:
    """Give the figures of what was said of each picture for each set that people captioned."""
    sets: defaultdict[str, list[int]] = defaultdict(list)
    for row, picture in enumerate(pictures):
        if not picture.label:
            sets[picture.dataset].append(row)
    found = {}
    for name, rows in sets.items():
        said = counted([spoken[row] for row in rows], recipe.language)
        references = [counted(pictures[row].sentences, recipe.language) for row in rows]
        scores = metrics.figures(said, references, meteor_in=recipe.language if meteor else None)
        found[name] = {**scores, "images": float(len(rows))}
    return found


def counted(sentences: Sequence[Tokens], language: str) -> list[Tokens]:
    """Give the tokens that metrics count; for English these are the words of the vocabulary themselves."""
    if language == "en":
        return list(sentences)
    tokenize = tokenizers.tokenizer(language)
    return [tokenize(vocabulary.text(sentence, language)) for sentence in sentences]


def boxes(recipe: Recipe, prepared: Prepared, run: Run) -> dict[str, dict[str, float]]:
    """Give AP and AP50 of each class of the detector; empty where the recipe has none."""
    if recipe.detector is None:
        return {}
    _, val = detector.corpora(recipe, prepared, run)
    network: Any = detector.load(recipe.detector, val.views[0], run)
    return detector.average_precision(network, val, recipe.detector)
