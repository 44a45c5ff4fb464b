"""Draws the batches of caption training from cached features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from contract.vocabulary import PAD, Vocabulary
from trainer.data.example import CaptionExample
from trainer.recipe.recipe import Recipe


@dataclass(frozen=True, slots=True)
class CaptionFeatures:
    """Examples with their cached features: arrays [M, N, D] as taken and mirrored, rows as in `examples`."""

    examples: Sequence[CaptionExample]
    maps: tuple[npt.NDArray[np.float16], ...]


def pad(tokens: Sequence[int], length: int) -> list[int]:
    """Return the tokens cut or padded to a length."""
    return [*tokens[:length], *[PAD] * (length - len(tokens))]


class CaptionBatches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no stubs
    """Batches ((cells [B, N, D], tokens [B, R, T]), next tokens [B, R, T]), drawn anew every epoch from the seed."""

    def __init__(self, cached: CaptionFeatures, vocabulary: Vocabulary, recipe: Recipe, *, shuffled: bool) -> None:
        super().__init__(workers=1)
        self.cached, self.recipe, self.shuffled = cached, recipe, shuffled
        length = recipe.decoder.max_tokens + 1
        captioned = [row for row, example in enumerate(cached.examples) if example.sentences]
        self.captioned = np.array(captioned, np.int64)
        self.ids = [
            np.array([pad(vocabulary.encode(words), length) for words in example.sentences], np.int32)
            for example in cached.examples
        ]
        self.epoch = -1
        self.rows: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self.on_epoch_begin()

    def __len__(self) -> int:
        training = self.recipe.training
        steps = max(1, len(self.rows) // training.batch_size)
        return min(steps, training.max_steps) if training.max_steps else steps

    def on_epoch_begin(self) -> None:
        """Choose and order the images of the next epoch."""
        self.epoch += 1
        self.rows = self._draw(self._random(0)) if self.shuffled else self.captioned

    def __getitem__(self, index: int) -> tuple[tuple[Any, Any], Any]:
        random = self._random(index + 1)
        size = self.recipe.training.batch_size
        rows = self.rows[index * size : (index + 1) * size]
        versions = random.integers(len(self.cached.maps), size=len(rows)) if self.shuffled else np.zeros(len(rows), int)
        cells = np.stack([self.cached.maps[version][row] for version, row in zip(versions, rows, strict=True)])
        sentences = np.stack([self._drawn(row, random) for row in rows])
        return (cells, sentences[:, :, :-1]), sentences[:, :, 1:]

    def _drawn(self, row: int, random: np.random.Generator) -> npt.NDArray[np.int32]:
        """Return the sentences of one image for one batch: [R, T]."""
        return self._some(self.ids[row], self.recipe.training.captions_per_image, random)

    def _some(
        self, sentences: npt.NDArray[np.int32], wanted: int, random: np.random.Generator
    ) -> npt.NDArray[np.int32]:
        if not self.shuffled:
            return sentences[np.arange(wanted) % len(sentences)]
        return sentences[random.choice(len(sentences), wanted, replace=len(sentences) < wanted)]

    def _draw(self, random: np.random.Generator) -> npt.NDArray[np.int64]:
        """Mix all captioned images with as many hazard scenes as the recipe's share allows."""
        labelled = np.array([bool(self.cached.examples[row].label) for row in self.captioned])
        everyday, hazards = self.captioned[~labelled], self.captioned[labelled]
        share = self.recipe.training.hazard_share
        count = min(len(hazards), round(len(everyday) * share / (1 - share))) if len(everyday) else len(hazards)
        rows = np.concatenate([everyday, random.permutation(hazards)[:count]])
        return random.permutation(rows)

    def _random(self, index: int) -> np.random.Generator:
        return np.random.default_rng((self.recipe.seed, self.epoch, index))
