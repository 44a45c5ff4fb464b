"""Gathers and checks everything a recipe names, before any hour is spent on it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from contract import vocabulary as vocab
from trainer import tokenizers
from trainer.data import caption_templates, example, hazard_scenes
from trainer.data.dataset import Album, BoxDraft, BoxedAlbum, CaptionDraft
from trainer.data.example import BoxedPicture, Picture
from trainer.data.formats import captions, coco
from trainer.data.quality.image_check import Store
from trainer.data.quality.issues import Finding, Findings, Kind
from trainer.data.quality.validation import Checker, Watch
from trainer.errors import CheckpointError, DataError
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import Run

Split = captions.Split

SPLITS: Final[tuple[Split, Split]] = ("train", "val")

STORE: Final = "pictures.sqlite"
"""What is known of each picture file, in the run's folder."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The data of a recipe, read and checked."""

    train: Sequence[Picture]
    val: Sequence[Picture]
    boxes_train: Sequence[BoxedPicture]
    boxes_val: Sequence[BoxedPicture]
    vocabulary: vocab.Vocabulary
    terms: dict[str, tuple[str, ...]]
    """Words of each danger that the vocabulary can name."""
    findings: Findings = field(default_factory=Findings)
    """What is wrong with the data, and what was done about it."""


def gather(recipe: Recipe, run: Run | None = None) -> Prepared:
    """Read every file that the recipe names.

    Pictures are opened only where `data.unreadable` or `data.twins` ask for it, and not where the run knows them.
    Raises `DataError` naming the file where one is missing or wrong, or where a picture of `val` is also in `train`.
    """
    prepared = examine(recipe, run, thorough=recipe.data.unreadable == "skip" or recipe.data.twins != "keep")
    refuse(prepared.findings)
    return prepared


def examine(recipe: Recipe, run: Run | None, *, thorough: bool, watch: Watch | None = None) -> Prepared:
    """Read and check as `gather` does, and leave it to the caller to refuse what was found; `thorough` opens pictures.

    Raises `DataError` for files that are not in their format, `OSError` where the disk is full.
    """
    findings = Findings()
    albums, terms = _captions(recipe, findings)
    boxed = _boxes(recipe, findings)
    watch = watch or Watch()
    watch.total = sum(len(album) for pair in (albums, boxed) for album in pair)
    with Store(run.folder / STORE if run and thorough else None) as store:
        check = Checker(recipe.data, findings, store if thorough else None, watch)
        train, val = check.splits("captions", *albums)
        boxes_train, boxes_val = check.splits("boxes", *boxed)
    train, val = _spoken(train, "train", findings), _spoken(val, "val", findings)
    vocabulary = example.vocabulary(train, recipe.vocabulary)
    named = {danger: expressions for danger, expressions in terms.items() if _spelt(expressions, vocabulary)}
    return Prepared(train, val, boxes_train, boxes_val, vocabulary, named, findings)


def refuse(findings: Findings) -> None:
    """Raise `DataError` for what the data cannot be used with, each with the first example."""
    kinds: dict[Kind, list[Finding]] = {}
    for found in findings.refused():
        kinds.setdefault(found.kind, []).append(found)
    if kinds:
        parts = (
            f"{sum(found.count for found in group)} {kind.value}, the first is {group[0].examples[0]}"
            for kind, group in kinds.items()
        )
        raise DataError("; ".join(parts))


def _captions(recipe: Recipe, findings: Findings) -> tuple[tuple[Album, Album], dict[str, tuple[str, ...]]]:
    tokenize = tokenizers.splitter(recipe.language, recipe.vocabulary.analyser)
    drafts = {split: CaptionDraft(tokenize) for split in SPLITS}
    for source in recipe.data.captions:
        for split, draft in drafts.items():
            notes = findings.of(f"{source.name} {split}")
            rows: dict[str, int] = {}
            for said in captions.read(source, split, notes):
                if said.file not in rows:
                    rows[said.file] = draft.place(source.images, said.file, source.name)
                if said.text is None:
                    continue
                if sentence := draft.tokenize(said.text):
                    draft.say(rows[said.file], sentence)
                else:
                    notes.add(Kind.EMPTY, f"{said.file}: {said.text!r}")
    terms: dict[str, tuple[str, ...]] = {}
    for scenes in recipe.data.hazards:
        written = caption_templates.load(scenes.sentences)
        terms |= {danger: tuple(" ".join(tokenize(text)) for text in texts) for danger, texts in written.terms.items()}
        for split, draft in drafts.items():
            notes = findings.of(f"{scenes.name} {split}")
            hazard_scenes.captions(getattr(scenes, split), written, scenes.name, draft, notes)
    return (drafts["train"].album(), drafts["val"].album()), terms


def _spelt(expressions: Sequence[str], vocabulary: vocab.Vocabulary) -> bool:
    return any(all(word in vocabulary.ids for word in expression.split()) for expression in expressions)


def _boxes(recipe: Recipe, findings: Findings) -> tuple[BoxedAlbum, BoxedAlbum]:
    drafts = {split: BoxDraft() for split in SPLITS}
    albums = (drafts["train"], drafts["val"])
    if recipe.detector is None:
        return albums[0].album(), albums[1].album()
    for split, draft in drafts.items():
        for source in recipe.data.boxes:
            notes = findings.of(f"{source.name} boxes {split}")
            coco.instances(getattr(source, split), source.images, draft, notes, source.absent)
        for scenes in recipe.data.hazards:
            hazard_scenes.boxed(
                getattr(scenes, split), scenes.drawn, draft, findings.of(f"{scenes.name} boxes {split}")
            )
    unknown = set(recipe.detector.classes) - drafts["train"].labelled()
    if unknown:
        raise DataError(f"detector.classes: nothing in data.boxes or data.hazards is labelled {sorted(unknown)}")
    return albums[0].album(), albums[1].album()


def _spoken(album: Album, split: str, findings: Findings) -> Album:
    """Leave out pictures of which nothing is known: no sentence and no label."""
    spoken = album.spoken() | album.labelled()
    for row in np.flatnonzero(~spoken):
        picture = album[int(row)]
        findings.note(f"{picture.dataset} {split}", Kind.WORDLESS, str(picture.path))
    return album if spoken.all() else album.only(spoken)


def count(prepared: Prepared) -> list[tuple[str, str, int, int]]:
    """Count (set, split, pictures, sentences or boxes) for people to read."""
    rows = []
    for split, captioned in (("train", prepared.train), ("val", prepared.val)):
        pictures_of, sentences_of = Counter[str](), Counter[str]()
        for picture in captioned:
            pictures_of[picture.dataset] += 1
            sentences_of[picture.dataset] += len(picture.sentences)
        rows += [(name, split, pictures_of[name], sentences_of[name]) for name in sorted(pictures_of)]
    for split, boxed in (("train", prepared.boxes_train), ("val", prepared.boxes_val)):
        if boxed:
            rows.append(("boxes", split, len(boxed), sum(len(picture.boxes) for picture in boxed)))
    return rows


def keep_vocabulary(prepared: Prepared, run: Run) -> None:
    """Write the vocabulary of a run; raises `CheckpointError` where weights stand that were trained with another."""
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
