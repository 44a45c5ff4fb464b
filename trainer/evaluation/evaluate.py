"""Measures a trained run on its validation images, in float32."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from contract import vocabulary
from trainer import metrics, tokenizers
from trainer.data.example import CaptionExample
from trainer.data.prepare import Prepared
from trainer.metrics import Tokens
from trainer.models import beam_search
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import RunDir
from trainer.training.stages import captioner, detector


def captions(recipe: Recipe, prepared: Prepared, run: RunDir, *, meteor: bool = False) -> dict[str, dict[str, float]]:
    """Return the figures of the beam's best captions for each dataset with reference captions."""
    _, val = captioner.load_features(recipe, prepared, run)
    model = captioner.load(recipe, prepared.vocabulary, val.maps[0].shape[-1], run)
    spoken = list(beam_search.captions(model, val.maps[0], prepared.vocabulary, recipe.decoding))
    return figures(recipe, val.examples, spoken, meteor=meteor)


def figures(
    recipe: Recipe, examples: Sequence[CaptionExample], spoken: Sequence[Tokens], *, meteor: bool = False
) -> dict[str, dict[str, float]]:
    """Return the figures of predicted captions for each dataset with reference captions."""
    sets: defaultdict[str, list[int]] = defaultdict(list)
    for row, example in enumerate(examples):
        if not example.label:
            sets[example.dataset].append(row)
    found = {}
    for name, rows in sets.items():
        said = counted([spoken[row] for row in rows], recipe.language)
        references = [counted(examples[row].sentences, recipe.language) for row in rows]
        scores = metrics.figures(said, references, language=recipe.language, meteor=meteor)
        found[name] = {**scores, "images": float(len(rows))}
    return found


def counted(sentences: Sequence[Tokens], language: str) -> list[Tokens]:
    """Return the tokens that metrics count; for English these are the words of the vocabulary."""
    if language == "en":
        return list(sentences)
    tokenize = tokenizers.tokenizer(language)
    return [tokenize(vocabulary.text(sentence, language)) for sentence in sentences]


def boxes(recipe: Recipe, prepared: Prepared, run: RunDir) -> dict[str, dict[str, float]]:
    """Return AP and AP50 of each class of the detector; empty where the recipe or its data has none."""
    if recipe.detector is None or not prepared.boxes_val:
        return {}
    _, val = detector.load_features(recipe, prepared, run)
    network: Any = detector.load(recipe.detector, val.maps[0], run)
    return detector.average_precision(network, val, recipe.detector)
