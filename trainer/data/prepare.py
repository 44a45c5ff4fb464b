"""Reads and checks all data that a recipe names, before any training."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import numpy as np

from contract import vocabulary as vocab
from trainer import tokenizers
from trainer.data import caption_templates, hazard_scenes, vocabulary
from trainer.data.dataset import BoxDataset, BoxDatasetBuilder, CaptionDataset, CaptionDatasetBuilder
from trainer.data.example import BoxExample, CaptionExample
from trainer.data.formats import captions, coco
from trainer.data.quality.image_check import ImageFactStore
from trainer.data.quality.issues import Finding, Findings, Kind
from trainer.data.quality.validation import Checker, CheckProgress
from trainer.errors import CheckpointError, DataError
from trainer.recipe import initial_bundle
from trainer.recipe.initial_bundle import Head
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import RunDir

Split = captions.Split

SPLITS: Final[tuple[Split, Split]] = ("train", "val")

FEWEST: Final = 2
"""Captioned images that each split needs: of a single one every CIDEr is 0, as all its words are in every image."""

STORE: Final = "images.sqlite"
"""Cache of the facts about each image file, in the run's folder."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The data of a recipe, read and checked."""

    train: Sequence[CaptionExample]
    val: Sequence[CaptionExample]
    boxes_train: Sequence[BoxExample]
    boxes_val: Sequence[BoxExample]
    vocabulary: vocab.Vocabulary
    terms: dict[str, tuple[str, ...]]
    """Terms of each hazard that the vocabulary can spell."""
    findings: Findings = field(default_factory=Findings)
    """Problems of the data, and what was done about each."""
    kept_heads: frozenset[Head] = frozenset()
    """Heads without data to train them, kept as they are in the bundle that fine-tuning starts from."""


def gather(recipe: Recipe, run: RunDir | None = None) -> Prepared:
    """Read every file that the recipe names.

    Images are opened only where `data.unreadable` or `data.duplicates` ask for it, and not again where the run has
    checked them.
    Raises `DataError` naming the file where one is missing or wrong, or where an image of `val` is also in `train`.
    """
    prepared = examine(recipe, run, thorough=recipe.data.unreadable == "skip" or recipe.data.duplicates != "keep")
    refuse(prepared.findings)
    require_examples(recipe, prepared)
    return prepared


def examine(recipe: Recipe, run: RunDir | None, *, thorough: bool, progress: CheckProgress | None = None) -> Prepared:
    """Read and check as `gather` does, but leave it to the caller to refuse findings; `thorough` opens the images.

    Raises `DataError` for files that are not in their format, `OSError` where the disk is full.
    """
    findings = Findings()
    start = initial_bundle.of(recipe)
    kept = initial_bundle.kept_heads(recipe, start)
    datasets, terms = _captions(recipe, findings)
    boxed = _boxes(recipe, findings, kept)
    progress = progress or CheckProgress()
    progress.total = sum(len(dataset) for pair in (datasets, boxed) for dataset in pair)
    with ImageFactStore(run.folder / STORE if run and thorough else None) as store:
        check = Checker(recipe.data, findings, store if thorough else None, progress)
        train, val = check.splits("captions", *datasets)
        boxes_train, boxes_val = check.splits("boxes", *boxed)
    train, val = _captioned(train, "train", findings), _captioned(val, "val", findings)
    _note_long(recipe, {"train": train, "val": val}, findings)
    words = vocabulary.build(train, recipe.vocabulary, start.words if start else None)
    if start is not None and "hazard_classifier" in kept:
        terms = {hazard: start.manifest.hazards.get(hazard, ()) for hazard in start.manifest.evidence}
    named = {danger: expressions for danger, expressions in terms.items() if _spelt(expressions, words)}
    return Prepared(train, val, boxes_train, boxes_val, words, named, findings, kept)


def require_examples(recipe: Recipe, prepared: Prepared) -> None:
    """Raise `DataError` where a split has too few examples to train or to score by."""
    for split, examples in (("train", prepared.train), ("val", prepared.val)):
        captioned = sum(1 for example in islice((e for e in examples if e.sentences), FEWEST))
        if captioned < FEWEST:
            raise DataError(
                f"data: {split} has {captioned} captioned image{'' if captioned == 1 else 's'}, at least {FEWEST} are "
                "needed: training learns from `train` and is scored on `val`, for which a tenth of all images is usual"
            )
    if recipe.detector is not None and "detector" not in prepared.kept_heads:
        for split, boxed in (("train", prepared.boxes_train), ("val", prepared.boxes_val)):
            if not boxed:
                raise DataError(f"data.boxes: {split} has no image; the `detector` needs some in train and in val")


def _note_long(recipe: Recipe, splits: Mapping[str, CaptionDataset], findings: Findings) -> None:
    most = recipe.decoder.max_tokens - 1  # one token is the end of the sentence
    for split, dataset in splits.items():
        for path, words in dataset.longer_than(most):
            findings.note(f"captions {split}", Kind.TOO_LONG, f"{path}: {words} words, {most} are learnt")


def refuse(findings: Findings) -> None:
    """Raise `DataError` for findings that make the data unusable, each with its first example."""
    kinds: dict[Kind, list[Finding]] = {}
    for found in findings.refused():
        kinds.setdefault(found.kind, []).append(found)
    if kinds:
        parts = (
            f"{sum(found.count for found in group)} {kind.value}, the first is {group[0].examples[0]}"
            for kind, group in kinds.items()
        )
        raise DataError("; ".join(parts))


def _captions(
    recipe: Recipe, findings: Findings
) -> tuple[tuple[CaptionDataset, CaptionDataset], dict[str, tuple[str, ...]]]:
    tokenize = tokenizers.splitter(recipe.language, recipe.vocabulary.analyser)
    builders = {split: CaptionDatasetBuilder(tokenize) for split in SPLITS}
    for source in recipe.data.captions:
        for split, builder in builders.items():
            notes = findings.of(f"{source.name} {split}")
            rows: dict[str, int] = {}
            for said in captions.read(source, split, notes):
                if said.file not in rows:
                    rows[said.file] = builder.add_image(source.images, said.file, source.name)
                if said.text is None:
                    continue
                if sentence := builder.tokenize(said.text):
                    builder.add_caption(rows[said.file], sentence)
                else:
                    notes.add(Kind.EMPTY_CAPTION, f"{said.file}: {said.text!r}")
    terms: dict[str, tuple[str, ...]] = {}
    for scenes in recipe.data.hazards:
        written = caption_templates.load(scenes.sentences)
        terms |= {danger: tuple(" ".join(tokenize(text)) for text in texts) for danger, texts in written.terms.items()}
        for split, builder in builders.items():
            notes = findings.of(f"{scenes.name} {split}")
            hazard_scenes.captions(getattr(scenes, split), written, scenes.name, builder, notes)
    return (builders["train"].build(), builders["val"].build()), terms


def _spelt(expressions: Sequence[str], vocabulary: vocab.Vocabulary) -> bool:
    return any(all(word in vocabulary.ids for word in expression.split()) for expression in expressions)


def _boxes(recipe: Recipe, findings: Findings, kept: frozenset[Head]) -> tuple[BoxDataset, BoxDataset]:
    builders = {split: BoxDatasetBuilder() for split in SPLITS}
    datasets = (builders["train"], builders["val"])
    if recipe.detector is None or "detector" in kept:
        return datasets[0].build(), datasets[1].build()
    for split, builder in builders.items():
        for source in recipe.data.boxes:
            notes = findings.of(f"{source.name} boxes {split}")
            coco.instances(getattr(source, split), source.images, builder, notes, source.absent)
        for scenes in recipe.data.hazards:
            hazard_scenes.boxed(
                getattr(scenes, split), scenes.labelled_classes, builder, findings.of(f"{scenes.name} boxes {split}")
            )
    unknown = set(recipe.detector.classes) - builders["train"].labelled()
    if unknown:
        raise DataError(f"detector.classes: nothing in data.boxes or data.hazards is labelled {sorted(unknown)}")
    return datasets[0].build(), datasets[1].build()


def _captioned(dataset: CaptionDataset, split: str, findings: Findings) -> CaptionDataset:
    """Leave out images that have neither a caption nor a label."""
    described = dataset.captioned() | dataset.labelled()
    for row in np.flatnonzero(~described):
        example = dataset[int(row)]
        findings.note(f"{example.dataset} {split}", Kind.UNCAPTIONED, str(example.path))
    return dataset if described.all() else dataset.select(described)


def count(prepared: Prepared) -> list[tuple[str, str, int, int]]:
    """Return rows of (set, split, images, captions or boxes)."""
    rows = []
    for split, captioned in (("train", prepared.train), ("val", prepared.val)):
        images_of, sentences_of = Counter[str](), Counter[str]()
        for example in captioned:
            images_of[example.dataset] += 1
            sentences_of[example.dataset] += len(example.sentences)
        rows += [(name, split, images_of[name], sentences_of[name]) for name in sorted(images_of)]
    for split, boxed in (("train", prepared.boxes_train), ("val", prepared.boxes_val)):
        if boxed:
            rows.append(("boxes", split, len(boxed), sum(len(example.boxes) for example in boxed)))
    return rows


def keep_vocabulary(prepared: Prepared, run: RunDir) -> None:
    """Write the vocabulary of a run; raises `CheckpointError` where the run has weights of another one."""
    text = vocab.dump(prepared.vocabulary)
    old = run.vocabulary.read_text(encoding="utf-8") if run.vocabulary.exists() else None
    if old == text:
        return
    if old is not None and run.best_captioner.exists():
        raise CheckpointError(
            f"{run.vocabulary}: {old.count(chr(10))} words, the recipe's data give {len(prepared.vocabulary)}; "
            f"the weights beside it speak the old ones: remove {run.folder} or name the recipe anew"
        )
    scratch = run.vocabulary.with_suffix(".new")  # a kill or a full disk must not leave half a vocabulary
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(run.vocabulary)
