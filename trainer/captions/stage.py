"""The stage as a whole: encode as the device does, train the decoder on, fit phrases and things, export.

What the bundle sees stays as it is: its encoder, its boxes and its dangers. So a bundle learns further captions without
its dangers being measured anew. Dimensions: M images, N cells, D numbers a cell.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import msgspec

from contract.bundle import Licence, Thing
from contract.vocabulary import Vocabulary
from edge.infer.captioner import Captioner
from trainer import export
from trainer.captions import distillation, features, things, vocabulary
from trainer.captions.distillation import DistilledBatches
from trainer.captions.features import Rows
from trainer.data import prepare
from trainer.data.example import CaptionExample
from trainer.data.prepare import Prepared
from trainer.errors import RecipeError
from trainer.export import CaptionerParts
from trainer.models import bundle_weights, decoder
from trainer.recipe import initial_bundle
from trainer.recipe.initial_bundle import InitialBundle
from trainer.recipe.recipe import HazardClassifier, Phrases, Recipe
from trainer.recipe.run_dir import RunDir
from trainer.training import checkpoint
from trainer.training.caption_batches import CaptionFeatures
from trainer.training.stages import captioner as captioning
from trainer.training.stages import hazard_classifier, phrase_predictor
from trainer.training.stages.phrase_predictor import Targets

FILE: Final = "captions.json"

PHRASES: Final = Phrases(min_count=21, rank=240)
"""How phrases are fitted where the recipe does not say."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """`captions.json`: what `wordcam-convert captioner` puts into the manifest."""

    version: str
    language: str
    encoder: str
    """Digest of the encoder that it was trained for."""
    things: dict[str, Thing]
    licences: tuple[Licence, ...]
    data: tuple[str, ...]
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """Captioned images, then scenes of danger that have sentences, with what the encoder sees of them."""

    captioned: Sequence[CaptionExample]
    scenes: Sequence[CaptionExample]
    maps: tuple[Rows, Rows]
    """As taken; captioned images mirrored, scenes as taken."""
    val: CaptionFeatures

    @property
    def examples(self) -> list[CaptionExample]:
        """All of them, in the order of the maps' rows."""
        return [*self.captioned, *self.scenes]


def run(recipe: Recipe, bundle: Path, work: RunDir, out: Path, command: str) -> None:
    """Write the export of a captioner for a bundle; a killed run goes on where it was.

    Raises `DataError`, `RecipeError` or `CheckpointError` naming what does not fit, `Stopped`, `OSError`
    for a full disk.
    """
    start = initial_bundle.load(bundle)
    if start.manifest.language != recipe.language:
        raise RecipeError(
            f"language: {recipe.language} is not that of {bundle}, which writes {start.manifest.language}"
        )
    prepared = prepare.gather(recipe, work)
    captioner = Captioner.open(bundle)
    seen = _see(prepared, captioner, work.folder / "cells")
    spoken = {word for example in seen.scenes for sentence in example.sentences for word in sentence}
    named = {word for phrases in start.manifest.hazards.values() for phrase in phrases for word in phrase.split()}
    words = vocabulary.choose(start.words, seen.captioned, spoken | named, recipe.vocabulary.min_count)
    chosen = _chosen(recipe, seen, captioner, words, work)
    model = _train(recipe, start, words, seen, work, chosen)
    if chosen:
        distillation.put_back_view(model, _untaught(recipe, start, words, seen))
    sizes = recipe.phrases or PHRASES
    rows = _rows_of_phrases(recipe, seen)
    targets = Targets([seen.examples[row] for row in rows], sizes.min_count, words)
    maps = [features.pooled(view)[rows] for view in seen.maps]
    network = phrase_predictor.build(maps[0].shape[-1], len(targets.rarities), sizes)
    phrase_predictor.put(network, phrase_predictor.fit(maps, targets, sizes))
    unseen = things.out_of_fold(maps, targets, len(seen.captioned), sizes, recipe.seed)
    found = things.fit(unseen, seen.captioned, targets.rarities, words)
    cells = (seen.maps[0].shape[1], seen.maps[0].shape[2])
    parts = CaptionerParts(model, network, targets.rarities, words, cells, _hazards(start))
    export.write_captioner(out, recipe, parts)
    description = Description(
        version=recipe.version,
        language=recipe.language,
        encoder=start.manifest.files["encoder"].sha256,
        things=found,
        licences=recipe.data.licences,
        data=export.counts(recipe, prepared),
        commands=(command,),
    )
    (out / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(description), indent=2) + b"\n")


def _see(prepared: Prepared, captioner: Captioner, folder: Path) -> Seen:
    captioned = [example for example in prepared.train if not example.label]
    scenes = [example for example in prepared.train if example.label and example.sentences]
    val = [example for example in prepared.val if example.sentences]
    plain = features.encode(folder / "captioned.npy", captioned, captioner)
    mirrored = features.encode(folder / "mirrored.npy", captioned, captioner, mirrored=True)
    danger = features.encode(folder / "scenes.npy", scenes, captioner)
    judged = features.encode(folder / "val.npy", val, captioner)
    maps = (Rows([plain, danger]), Rows([mirrored, danger]))
    return Seen(captioned, scenes, maps, CaptionFeatures(val, (judged,)))


def _chosen(
    recipe: Recipe, seen: Seen, captioner: Captioner, words: Vocabulary, work: RunDir
) -> list[list[tuple[str, ...]]]:
    """Return the sentences of the bundle's own beam that its captioned images teach; none where not asked for."""
    if recipe.distillation is None:
        return []
    path = work.folder / "cells" / "sentences.json"
    most = recipe.distillation.sentences
    found = distillation.choose(path, seen.captioned, seen.maps[0], captioner, most)
    return distillation.sayable(found, words)


def _train(  # noqa: PLR0913, PLR0917  # what training needs to know
    recipe: Recipe,
    start: InitialBundle,
    words: Vocabulary,
    seen: Seen,
    work: RunDir,
    chosen: Sequence[Sequence[tuple[str, ...]]],
) -> decoder.Decoder:
    """Train the bundle's decoder on; return it with the weights of its best epoch."""
    keras.utils.set_random_seed(recipe.seed)
    train_set = CaptionFeatures(seen.examples, seen.maps)  # type: ignore[arg-type]  # rows that are read when asked for
    batches = DistilledBatches(train_set, words, recipe, chosen)
    depth = seen.maps[0].shape[-1]
    with captioning.precision(recipe.training):
        model = _untaught(recipe, start, words, seen)
        model.compile(
            optimizer=captioning.optimizer(recipe.training, len(batches) * recipe.training.epochs),
            loss=decoder.masked_loss(recipe.training.label_smoothing),
        )
    measure = _scores(model, seen.val, words, recipe)
    keep = checkpoint.KeepBest(work.captioner, measure, monitor="cider", patience=recipe.training.patience)
    checkpoint.fit(model, batches, work, "captioner", keep, epochs=recipe.training.epochs)
    return captioning.load_from(recipe, words, depth, work.captioner)


def _untaught(recipe: Recipe, start: InitialBundle, words: Vocabulary, seen: Seen) -> decoder.Decoder:
    """Return the decoder as the bundle has it, but for words that the bundle does not know."""
    model = captioning.build(recipe, words, seen.maps[0].shape[-1])
    bundle_weights.captioner(start, model, words)
    return model


def _hazards(start: InitialBundle) -> Any:
    """Return the classifier that the bundle's decoder begins with, which fine-tuning may start from; or None."""
    hidden = bundle_weights.network(start, "decoder_init").layers.get("hidden")
    if hidden is None:
        return None
    depth, width = hidden.kernel.shape
    dangers = list(start.manifest.evidence)
    network = hazard_classifier.build(depth // 2, len(dangers), HazardClassifier(width=width))
    bundle_weights.evidence(start, network, dangers)
    return network


def _scores(
    model: decoder.Decoder, val: CaptionFeatures, words: Vocabulary, recipe: Recipe
) -> Callable[[], dict[str, Any]]:
    return captioning.scorer(model, val, words, recipe)


def _rows_of_phrases(recipe: Recipe, seen: Seen) -> list[int]:
    """Return the rows that phrases are fitted to: captioned images, and scenes up to the recipe's share, evenly."""
    share = recipe.training.hazard_share
    allowed = len(seen.captioned) * share / (1 - share) if share < 1 else math.inf
    step = max(1, math.ceil(len(seen.scenes) / allowed)) if allowed else len(seen.scenes) + 1
    first = len(seen.captioned)
    return [*range(first), *range(first, first + len(seen.scenes), step)]
