"""Draws the batches of joint tuning from cached maps of stride 8.

Dimensions: B pictures, R sentences a picture, T tokens, H dangers, C classes, V views.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from trainer.data.example import Picture
from trainer.data.prepare import Prepared
from trainer.recipe.recipe import Recipe, Tuning
from trainer.training.caption_batches import pad
from trainer.training.multitask_examples import Lesson
from trainer.training.stages import detector, hazard_classifier
from trainer.training.stages.phrase_predictor import Targets

Maps = npt.NDArray[np.float16]


class LessonBatches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no stubs
    """Batches (x, y), drawn anew every epoch from the seed.

    x: `c3` [B, h, w, D] and `tokens` int32 [B, R, T]; y: `words` [B, R, T] (all padding where nobody wrote any),
    `evidence` [B, H, 2] (there; known), `truth` as of `detecting.BoxBatches`, and `phrases` [B, P] if asked.
    """

    def __init__(
        self, lessons: Sequence[Lesson], maps: Sequence[Maps], prepared: Prepared, recipe: Recipe, tuning: Tuning
    ) -> None:
        """Take the maps [M, h, w, D] of each of the V views; lessons are the M rows."""
        super().__init__(workers=1)
        self.lessons, self.maps, self.tuning, self.seed = lessons, maps, tuning, recipe.seed
        self.targets = Targets.of(prepared, recipe.phrases) if recipe.phrases is not None else None
        vocabulary, terms = prepared.vocabulary, prepared.terms
        length = recipe.decoder.max_tokens + 1
        self.length = length
        self.ids = [
            np.array([pad(vocabulary.encode(words), length) for words in lesson.sentences], np.int32)
            for lesson in lessons
        ]
        pictures = [Picture(lesson.views[0].path, lesson.sentences, "", lesson.label) for lesson in lessons]
        self.evidence = np.stack(hazard_classifier.targets(pictures, terms), -1)
        classes = recipe.detector.classes if recipe.detector is not None else ()
        self.truth = [
            np.stack([detector.truth(lesson.boxed(view), classes) for lesson in lessons]) for view in range(len(maps))
        ]
        self.epoch = -1
        self.rows: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self.on_epoch_begin()

    def __len__(self) -> int:
        steps = max(1, len(self.rows) // self.tuning.pictures)
        return min(steps, self.tuning.max_steps) if self.tuning.max_steps else steps

    def on_epoch_begin(self) -> None:
        """Choose and order the lessons of the next epoch."""
        self.epoch += 1
        self.rows = self._draw(np.random.default_rng((self.seed, self.epoch)))

    def __getitem__(self, index: int) -> tuple[dict[str, Any], dict[str, Any]]:
        random = np.random.default_rng((self.seed, self.epoch, index + 1))
        rows = self.rows[index * self.tuning.pictures : (index + 1) * self.tuning.pictures]
        views = random.integers(len(self.maps), size=len(rows))
        chosen = list(zip(views, rows, strict=True))
        sentences = np.stack([self._some(self.ids[row], random) for row in rows])
        return (
            {"c3": np.stack([self.maps[view][row] for view, row in chosen]), "tokens": sentences[:, :, :-1]},
            {
                "words": sentences[:, :, 1:],
                "evidence": self.evidence[rows],
                "truth": np.stack([self.truth[view][row] for view, row in chosen]),
                **({} if self.targets is None else {"phrases": self.targets.rows([self.lessons[row] for row in rows])}),
            },
        )

    def _some(self, sentences: npt.NDArray[np.int32], random: np.random.Generator) -> npt.NDArray[np.int32]:
        wanted = self.tuning.sentences
        if not len(sentences):
            return np.zeros((wanted, self.length), np.int32)
        return sentences[random.choice(len(sentences), wanted, replace=len(sentences) < wanted)]

    def _draw(self, random: np.random.Generator) -> npt.NDArray[np.int64]:
        """Mix all that people captioned or boxed with the recipe's shares of danger scenes and of close looks."""
        close = np.array([lesson.close for lesson in self.lessons])
        labels = np.array([lesson.label for lesson in self.lessons])
        everyday, scenes = np.flatnonzero(~close & (labels == "")), np.flatnonzero(~close & (labels != ""))
        total = len(everyday) / max(0.05, 1 - self.tuning.hazard_share - self.tuning.close_share)
        parts = [everyday]
        for rows, share in ((scenes, self.tuning.hazard_share), (np.flatnonzero(close), self.tuning.close_share)):
            if len(rows):
                parts.append(random.choice(rows, round(total * share), p=_even(labels[rows])))
        drawn: npt.NDArray[np.int64] = random.permutation(np.concatenate(parts))
        return drawn


def _even(labels: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Give each row's probability [M], by which a label comes as the square root of its count says."""
    _, label, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights = 1 / np.sqrt(counts[label])
    return np.asarray(weights / weights.sum(), np.float64)
