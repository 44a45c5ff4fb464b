"""Draws the batches of joint fine-tuning from cached maps of stride 8.

Dimensions: B images, R sentences an image, T tokens, H dangers, C classes, V views.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from trainer.data.example import CaptionExample
from trainer.data.prepare import Prepared
from trainer.recipe.initial_bundle import Head
from trainer.recipe.recipe import Finetuning, Recipe
from trainer.training.caption_batches import pad
from trainer.training.multitask_examples import MultitaskExample
from trainer.training.stages import detector, hazard_classifier
from trainer.training.stages.phrase_predictor import Targets

Maps = npt.NDArray[np.float16]
Floats = npt.NDArray[np.float32]


class MultitaskBatches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no stubs
    """Batches (x, y), drawn anew every epoch from the seed.

    x: `c3` [B, h, w, D] and `tokens` int32 [B, R, T]; y: `words` [B, R, T], all padding where nobody wrote any, and of
    each head that is trained: `evidence` [B, H, 2] (there; known), `truth` as of `detector.BoxBatches`, `phrases`
    [B, P].
    """

    def __init__(
        self,
        examples: Sequence[MultitaskExample],
        maps: Sequence[Maps],
        prepared: Prepared,
        recipe: Recipe,
        settings: Finetuning,
    ) -> None:
        """Take the maps [M, h, w, D] of each of the V views; examples are the M rows."""
        super().__init__(workers=1)
        self.examples, self.maps, self.settings, self.seed = examples, maps, settings, recipe.seed
        self.targets = Targets.of(prepared, recipe.phrases) if recipe.phrases is not None else None
        vocabulary = prepared.vocabulary
        length = recipe.decoder.max_tokens + 1
        self.length = length
        self.ids = [
            np.array([pad(vocabulary.encode(words), length) for words in example.sentences], np.int32)
            for example in examples
        ]
        self.evidence = _evidence(examples, prepared) if trains(recipe, prepared, "hazard_classifier") else None
        self.truth = None
        if recipe.detector is not None and trains(recipe, prepared, "detector"):
            classes = recipe.detector.classes
            self.truth = [
                np.stack([detector.truth(example.boxed(variant), classes) for example in examples])
                for variant in range(len(maps))
            ]
        self.epoch = -1
        self.rows: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self.on_epoch_begin()

    def __len__(self) -> int:
        steps = max(1, len(self.rows) // self.settings.batch_size)
        return min(steps, self.settings.max_steps) if self.settings.max_steps else steps

    def on_epoch_begin(self) -> None:
        """Choose and order the examples of the next epoch."""
        self.epoch += 1
        self.rows = self._draw(np.random.default_rng((self.seed, self.epoch)))

    def __getitem__(self, index: int) -> tuple[dict[str, Any], dict[str, Any]]:
        random = np.random.default_rng((self.seed, self.epoch, index + 1))
        rows = self.rows[index * self.settings.batch_size : (index + 1) * self.settings.batch_size]
        variants = random.integers(len(self.maps), size=len(rows))
        chosen = list(zip(variants, rows, strict=True))
        sentences = np.stack([self._some(self.ids[row], random) for row in rows])
        x = {"c3": np.stack([self.maps[variant][row] for variant, row in chosen]), "tokens": sentences[:, :, :-1]}
        y: dict[str, Any] = {"words": sentences[:, :, 1:]}
        if self.evidence is not None:
            y["evidence"] = self.evidence[rows]
        if self.truth is not None:
            y["truth"] = np.stack([self.truth[variant][row] for variant, row in chosen])
        if self.targets is not None:
            y["phrases"] = self.targets.rows([self.examples[row] for row in rows])
        return x, y

    def _some(self, sentences: npt.NDArray[np.int32], random: np.random.Generator) -> npt.NDArray[np.int32]:
        wanted = self.settings.captions_per_image
        if not len(sentences):
            return np.zeros((wanted, self.length), np.int32)
        return sentences[random.choice(len(sentences), wanted, replace=len(sentences) < wanted)]

    def _draw(self, random: np.random.Generator) -> npt.NDArray[np.int64]:
        """Mix all that people captioned or boxed with the recipe's shares of danger scenes and of close looks."""
        closeup = np.array([example.closeup for example in self.examples])
        labels = np.array([example.label for example in self.examples])
        everyday, scenes = np.flatnonzero(~closeup & (labels == "")), np.flatnonzero(~closeup & (labels != ""))
        total = len(everyday) / max(0.05, 1 - self.settings.hazard_share - self.settings.closeup_share)
        parts = [everyday]
        for rows, share in (
            (scenes, self.settings.hazard_share),
            (np.flatnonzero(closeup), self.settings.closeup_share),
        ):
            if len(rows):
                parts.append(random.choice(rows, round(total * share), p=_even(labels[rows])))
        drawn: npt.NDArray[np.int64] = random.permutation(np.concatenate(parts))
        return drawn


def trains(recipe: Recipe, prepared: Prepared, head: Head) -> bool:
    """Return whether fine-tuning trains a head: the recipe asks for it, and there is data for it."""
    return getattr(recipe, head) is not None and head not in prepared.kept_heads


def _evidence(examples: Sequence[MultitaskExample], prepared: Prepared) -> Floats:
    """Return for each example and hazard whether it is there and whether that is known: [M, H, 2], each 0 or 1."""
    captioned = [CaptionExample(example.variants[0].path, example.sentences, "", example.label) for example in examples]
    return np.stack(hazard_classifier.targets(captioned, prepared.terms), -1)


def _even(labels: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Return each row's probability [M], by which a label is drawn as often as the square root of its count."""
    _, label, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights = 1 / np.sqrt(counts[label])
    return np.asarray(weights / weights.sum(), np.float64)
