"""Measures a trained run on its validation pictures, in float32."""

from collections import defaultdict
from typing import Any

from trainer import captioning, detecting, search
from trainer.metrics import CiderD, bleu
from trainer.prepare import Prepared
from trainer.recipe import Recipe
from trainer.run import Run


def captions(recipe: Recipe, prepared: Prepared, run: Run) -> dict[str, dict[str, float]]:
    """Give BLEU-1..4 and CIDEr of the beam's best sentence for each set of pictures that people captioned."""
    _, val = captioning.corpora(recipe, prepared, run)
    model = captioning.load(recipe, prepared.vocabulary, val.views[0].shape[-1], run)
    spoken = list(search.speak(model, val.views[0], prepared.vocabulary, recipe.decoding))
    sets: defaultdict[str, list[int]] = defaultdict(list)
    for row, picture in enumerate(val.pictures):
        if not picture.label:
            sets[picture.dataset].append(row)
    figures = {}
    for name, rows in sets.items():
        references = [val.pictures[row].sentences for row in rows]
        said = [spoken[row] for row in rows]
        scores = {f"bleu_{order}": score for order, score in enumerate(bleu(said, references), 1)}
        figures[name] = {**scores, "cider": CiderD(references).corpus(said, references), "images": float(len(rows))}
    return figures


def boxes(recipe: Recipe, prepared: Prepared, run: Run) -> dict[str, dict[str, float]]:
    """Give AP and AP50 of each class of the detector; empty where the recipe has none."""
    if recipe.detector is None:
        return {}
    _, val = detecting.corpora(recipe, prepared, run)
    network: Any = detecting.load(recipe.detector, val.views[0], run)
    return detecting.average_precision(network, val, recipe.detector)
