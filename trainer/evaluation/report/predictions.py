"""Evaluates one trained run for a report: figures, captions of validation images, and attention."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from contract import vocabulary as vocab
from trainer.data.example import CaptionExample
from trainer.data.prepare import Prepared
from trainer.evaluation import evaluate
from trainer.evaluation.report import attention, training_log
from trainer.evaluation.report.training_log import Log
from trainer.metrics import CiderD, bleu
from trainer.models import beam_search
from trainer.models.decoder import Decoder
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import RunDir
from trainer.training.stages import captioner

NOTHING: Final = ""
"""The label of a sentence that names no danger."""

PEACEFUL: Final = "none"
"""The label of a hazard scene without danger."""

REFERENCES: Final = 5
"""Reference captions shown beside a predicted one."""


@dataclass(frozen=True, slots=True)
class Look:
    """Attention of the captioner for one word."""

    word: str
    png: bytes
    """An overlay for the image."""


@dataclass(frozen=True, slots=True)
class CaptionSample:
    """One image with its predicted caption."""

    path: Path
    caption: str
    references: tuple[str, ...]
    cider: float
    """Of this sentence, 0 to 10."""
    bleu: float
    """BLEU-4 of this sentence, 0 to 1."""
    label: str = NOTHING
    looks: tuple[Look, ...] = ()


@dataclass(frozen=True, slots=True)
class Confusion:
    """Confusion matrix: label of the scene by hazard that its caption names first."""

    labels: tuple[str, ...]
    """Of the scenes; one row each."""
    named: tuple[str, ...]
    """Dangers as the sentences name them, nothing last; one column each."""
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a report shows of a run."""

    name: str
    status: str = "trained"
    reason: str = ""
    """Why there are no figures; empty where there are."""
    changed: dict[str, object] = field(default_factory=dict)
    captions: dict[str, dict[str, float]] = field(default_factory=dict)
    boxes: dict[str, dict[str, float]] = field(default_factory=dict)
    logs: tuple[Log, ...] = ()
    best_epoch: int | None = None
    samples: tuple[CaptionSample, ...] = ()
    worst: tuple[CaptionSample, ...] = ()
    confusion: Confusion | None = None


def observe(  # noqa: PLR0913 - what to look at, and how much of it
    recipe: Recipe,
    prepared: Prepared,
    run: RunDir,
    *,
    samples: int,
    worst: int,
    changed: dict[str, object] | None = None,
) -> RunReport:
    """Caption the validation images and score every caption; `samples` are drawn by the recipe's seed.

    Raises `CheckpointError` where the run is not trained.
    """
    _, val = captioner.load_features(recipe, prepared, run)
    model = captioner.load(recipe, prepared.vocabulary, val.maps[0].shape[-1], run)
    spoken = list(beam_search.captions(model, val.maps[0], prepared.vocabulary, recipe.decoding))
    asked = [row for row, example in enumerate(val.examples) if not example.label]
    asked = asked or [row for row, example in enumerate(val.examples) if example.sentences]
    scores = _scores(recipe, val.examples, spoken, asked)
    drawn = sorted(np.random.default_rng(recipe.seed).permutation(asked)[:samples].tolist())
    lowest = sorted(asked, key=lambda row: scores[row])[:worst]

    def show(row: int) -> CaptionSample:
        looks = _looks(model, val.maps[0][row], spoken[row], prepared.vocabulary, recipe)
        return _sample(recipe, val.examples[row], spoken[row], scores[row], looks)

    recorded = training_log.read(run.folder)
    return RunReport(
        name=recipe.name,
        changed=changed or {},
        captions=evaluate.figures(recipe, val.examples, spoken),
        boxes=evaluate.boxes(recipe, prepared, run),
        logs=tuple(recorded),
        best_epoch=_best_epoch(recorded),
        samples=tuple(map(show, drawn)),
        worst=tuple(map(show, lowest)),
        confusion=confusion(val.examples, spoken, prepared.terms),
    )


def confusion(
    examples: Sequence[CaptionExample], spoken: Sequence[Sequence[str]], terms: dict[str, tuple[str, ...]]
) -> Confusion | None:
    """Count labels against the danger that each sentence names first; None without labelled scenes."""
    counts = Counter((scene.label, _named(words, terms)) for scene, words in zip(examples, spoken, strict=True))
    order = [*terms, *sorted({label for label, _ in counts} - {PEACEFUL, NOTHING, *terms}), PEACEFUL]
    labels = [label for label in order if any(label == seen for seen, _ in counts)]
    if not labels:
        return None
    named = (*terms, NOTHING)
    return Confusion(tuple(labels), named, tuple(tuple(counts[label, name] for name in named) for label in labels))


def _named(words: Sequence[str], terms: dict[str, tuple[str, ...]]) -> str:
    text = f" {' '.join(words)} "
    places = [
        (text.index(f" {expression} "), -len(expression), danger)
        for danger, expressions in terms.items()
        for expression in expressions
        if f" {expression} " in text
    ]
    return min(places)[2] if places else NOTHING


def _scores(
    recipe: Recipe, examples: Sequence[CaptionExample], spoken: Sequence[Sequence[str]], rows: Sequence[int]
) -> dict[int, tuple[float, float]]:
    """Return CIDEr-D and BLEU-4 of each sentence; the document frequencies are those of all `rows`."""
    said = evaluate.counted([spoken[row] for row in rows], recipe.language)
    references = [evaluate.counted(examples[row].sentences, recipe.language) for row in rows]
    cider = CiderD(references)
    return {
        row: (cider.score(mine, theirs), bleu([mine], [theirs])[3])
        for row, mine, theirs in zip(rows, said, references, strict=True)
    }


def _sample(
    recipe: Recipe, example: CaptionExample, words: Sequence[str], scores: tuple[float, float], looks: tuple[Look, ...]
) -> CaptionSample:
    references = tuple(vocab.text(sentence, recipe.language) for sentence in example.sentences[:REFERENCES])
    return CaptionSample(example.path, vocab.text(words, recipe.language), references, *scores, example.label, looks)


def _looks(
    model: Decoder, cells: attention.Floats, words: Sequence[str], vocabulary: vocab.Vocabulary, recipe: Recipe
) -> tuple[Look, ...]:
    cells = np.asarray(cells, np.float32)
    shape = attention.grid(len(cells), recipe.encoder.height, recipe.encoder.width)
    if shape is None or not words:
        return ()
    seen = attention.follow(model, cells, words, vocabulary)
    return tuple(Look(word, attention.heat(row, shape)) for word, row in zip(words, seen, strict=True))


def _best_epoch(recorded: Sequence[Log]) -> int | None:
    """Return the epoch at which the captioner scored best."""
    values = next((log.columns["val_cider"] for log in recorded if "val_cider" in log.columns), ())
    known = [(value, -number) for number, value in enumerate(values, 1) if value is not None]
    return -max(known)[1] if known else None
