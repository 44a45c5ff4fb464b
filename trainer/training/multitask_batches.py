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
from trainer.recipe.recipe import Finetuning, Recipe
from trainer.training.caption_batches import pad
from trainer.training.multitask_examples import MultitaskExample
from trainer.training.stages import detector, hazard_classifier
from trainer.training.stages.phrase_predictor import Targets

Maps = npt.NDArray[np.float16]


class MultitaskBatches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no stubs
    """Batches (x, y), drawn anew every epoch from the seed.

    x: `c3` [B, h, w, D] and `tokens` int32 [B, R, T]; y: `words` [B, R, T] (all padding where nobody wrote any),
    `evidence` [B, H, 2] (there; known), `truth` as of `detecting.BoxBatches`, and `phrases` [B, P] if asked.
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
        vocabulary, terms = prepared.vocabulary, prepared.terms
        length = recipe.decoder.max_tokens + 1
        self.length = length
        self.ids = [
            np.array([pad(vocabulary.encode(words), length) for words in example.sentences], np.int32)
            for example in examples
        ]
        captioned = [
            CaptionExample(example.variants[0].path, example.sentences, "", example.label) for example in examples
        ]
        self.evidence = np.stack(hazard_classifier.targets(captioned, terms), -1)
        classes = recipe.detector.classes if recipe.detector is not None else ()
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
        return (
            {"c3": np.stack([self.maps[variant][row] for variant, row in chosen]), "tokens": sentences[:, :, :-1]},
            {
                "words": sentences[:, :, 1:],
                "evidence": self.evidence[rows],
                "truth": np.stack([self.truth[variant][row] for variant, row in chosen]),
                **(
                    {} if self.targets is None else {"phrases": self.targets.rows([self.examples[row] for row in rows])}
                ),
            },
        )

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


def _even(labels: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Return each row's probability [M], by which a label comes as the square root of its count says."""
    _, label, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights = 1 / np.sqrt(counts[label])
    return np.asarray(weights / weights.sum(), np.float64)
