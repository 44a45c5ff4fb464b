"""Fine-tunes the encoder together with the heads that read its maps: captioner, hazard classifier, detector, phrases.

Heads that the recipe leaves out are left out here. A head that it asks for and has no data for is kept as the bundle
has it, and so is then the encoder, on whose maps that head depends: the captioner alone learns.

The layers up to `c3` (edges, textures) stay as ImageNet made them, so that a step begins from cached maps of stride 8;
the later layers learn, with their batch normalisation at its known statistics. One pass of the encoder serves all heads
on the device, so all of them train it here.
Dimensions: B images, N cells, D numbers a cell, H dangers, R sentences, T tokens, M examples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import msgspec
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from contract.vocabulary import PAD
from trainer.data.example import CaptionExample
from trainer.data.prepare import Prepared
from trainer.errors import CheckpointError, first_line
from trainer.models import bundle_weights, decoder
from trainer.recipe import initial_bundle
from trainer.recipe import recipe as recipes
from trainer.recipe.recipe import Finetuning, Phrases, Recipe
from trainer.recipe.run_dir import RunDir
from trainer.training import checkpoint, feature_cache, multitask_examples, thresholds
from trainer.training.caption_batches import CaptionBatches, CaptionFeatures
from trainer.training.feature_cache import FeatureRequest
from trainer.training.multitask_batches import MultitaskBatches, trains
from trainer.training.multitask_examples import MultitaskExample
from trainer.training.stage import Context, Stage
from trainer.training.stages import captioner as captioning
from trainer.training.stages import detector as detecting
from trainer.training.stages import hazard_classifier, phrase_predictor
from trainer.training.stages.phrase_predictor import Targets

MAPS: Final = ("c3", "c4", "cells")

BATCH_NORM_IMAGES: Final = 256
"""Images by whose maps batch normalisation is calibrated, as a bundle does not store its statistics."""

STAGE_LOG: Final = "finetuning"
"""Name of the stage's files in the run's folder."""

FALSE_SHARE: Final = 0.02
"""Of peaceful scenes, at which the evidence is judged between epochs."""


@dataclass(frozen=True, slots=True)
class Heads:
    """Networks that read the encoder's maps; None for those that the recipe does not ask for."""

    captioner: decoder.Decoder
    hazards: Any | None = None
    detector: detecting.Trainable | None = None
    phrases: Any | None = None
    """Predicts the phrases of an image's sentences, to train the encoder by. The exported one is fitted once more to
    the tuned cells."""


class Joint(keras.Model):  # type: ignore[misc]  # keras has no stubs
    """The encoder beyond `c3` and the heads that are trained with it."""

    def __init__(self, encoder: Any, heads: Heads, recipe: Recipe, settings: Finetuning, *, frozen: bool) -> None:
        """Take the heads to train; with `frozen` the encoder is not trained."""
        super().__init__(name="joint")
        encoder.trainable = not frozen
        outputs = {name: encoder.output[name] for name in ("c4", "cells")}
        self.tail = keras.Model(encoder.output["c3"], outputs, name="tail")
        self.captioner, self.hazard_network, self.detector = heads.captioner, heads.hazards, heads.detector
        self.phrase_network = heads.phrases
        self.settings = settings
        self.caption_loss = decoder.masked_loss(recipe.training.label_smoothing)
        present = {"evidence": heads.hazards, "boxes": heads.detector, "phrases": heads.phrases}
        names = ("speech", *(name for name, head in present.items() if head is not None))
        self.parts = {name: keras.metrics.Mean(name) for name in names}

    def maps(self, c3: Any) -> dict[str, Any]:
        """Return all maps of images, from `c3`; batch normalisation keeps its statistics."""
        c3 = tf.cast(c3, tf.float32)
        return {"c3": c3, **self.tail(c3, training=False)}

    def call(self, inputs: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return `words` [B, R, T, V] and, of the heads there are, `evidence` [B, H] as log-odds, `boxes`, `odds`, and
        `phrases` [B, P]."""
        maps = self.maps(inputs["c3"])
        cells = maps["cells"]
        pooled = feature_cache.pooled(cells)
        found = {"words": self.captioner((cells, inputs["tokens"]), training=training)}
        if self.hazard_network is not None:
            found["evidence"] = self.hazard_network(pooled, training=training)
        if self.phrase_network is not None:
            found["phrases"] = self.phrase_network(pooled, training=training)
        if self.detector is not None:
            found |= self.detector.network(maps, training=training)
        return found

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any) -> Any:  # noqa: ARG002
        """Return the weighted sum of the heads' losses, a scalar; the parameters' names are Keras's."""
        found = {"speech": self.caption_loss(y["words"], y_pred["words"])}
        if self.hazard_network is not None:
            found["evidence"] = _evidence_loss(y["evidence"], y_pred["evidence"])
        if self.detector is not None:
            found["boxes"] = self.detector.compute_loss(y=y["truth"], y_pred=y_pred)
        if self.phrase_network is not None:
            written = tf.reduce_any(y["words"] != PAD, [1, 2])
            found["phrases"] = phrase_predictor.loss(y["phrases"], y_pred["phrases"], written)
        for name, value in found.items():
            self.parts[name].update_state(value)
        return (
            found["speech"]
            + self.settings.hazards_weight * found.get("evidence", 0.0)
            + self.settings.boxes_weight * found.get("boxes", 0.0)
            + self.settings.phrases_weight * found.get("phrases", 0.0)
        )

    @property
    def metrics(self) -> list[Any]:
        """What Keras resets and reports each epoch."""
        return [*super().metrics, *self.parts.values()]


def train(recipe: Recipe, settings: Finetuning, prepared: Prepared, run: RunDir) -> None:
    """Train all epochs and keep the best one's parts; a killed run goes on at its last whole epoch."""
    if run.encoder.exists():
        return
    keras.utils.set_random_seed(recipe.seed)
    known = multitask_examples.gather(recipe, settings, prepared, run)
    variants = [_early(f"multitask-{number}", known, number, recipe, run) for number in range(settings.augmentations)]
    batches = MultitaskBatches(known, variants, prepared, recipe, settings)
    encoder = feature_cache.build_encoder(recipe.encoder)
    heads = build_heads(recipe, settings, prepared, run, encoder)
    model = build(recipe, settings, prepared, encoder, heads)
    if model.detector is not None and settings.start is not None and initial_bundle.is_bundle(settings.start):
        some = variants[0][:: max(1, len(known) // BATCH_NORM_IMAGES)]
        bundle_weights.recalibrate_batch_norm(model.detector.network, model.maps(some))
    if recipe.phrases is not None and not any(run.backup(STAGE_LOG).glob("*")):
        _fit_phrases(model, batches, recipe, recipe.phrases)
    steps = len(batches) * settings.epochs
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps, alpha=0.02, warmup_target=settings.learning_rate, warmup_steps=max(1, steps // 25)
    )
    model.compile(
        keras.optimizers.AdamW(
            rate,
            weight_decay=settings.weight_decay,
            global_clipnorm=5.0,
            use_ema=True,
            ema_momentum=checkpoint.ema_momentum(settings.ema_momentum, steps),
        )
    )
    validator = Validator(model, recipe, prepared, run)
    keep = checkpoint.KeepBest(run.joint, validator, monitor="all", patience=settings.epochs)
    checkpoint.fit(model, batches, run, STAGE_LOG, keep, epochs=settings.epochs)
    finish(model, encoder, heads, validator, run)


def build_heads(recipe: Recipe, settings: Finetuning, prepared: Prepared, run: RunDir, encoder: Any) -> Heads:
    """Build the recipe's heads, and load them and the encoder with the weights that fine-tuning starts from."""
    shapes = {name: tuple(encoder.output[name].shape[1:]) for name in MAPS}
    depth = shapes["cells"][-1]
    with captioning.precision(recipe.training):
        captioner = captioning.build(recipe, prepared.vocabulary, depth)
    hazards = boxes = phrases = None
    if recipe.hazard_classifier is not None:
        hazards = hazard_classifier.build(depth, len(prepared.terms), recipe.hazard_classifier)
    if recipe.detector is not None:
        boxes = detecting.build(recipe.detector, {name: np.zeros((1, *shape)) for name, shape in shapes.items()})
    if recipe.phrases is not None:
        count = len(Targets.of(prepared, recipe.phrases).rarities)
        phrases = phrase_predictor.build(2 * depth, count, recipe.phrases)
    heads = Heads(captioner, hazards, boxes, phrases)
    if settings.start is not None and initial_bundle.is_bundle(settings.start):
        _begin_with_bundle(settings.start, encoder, heads, recipe, prepared)
    else:
        _begin_with_run(run, encoder, heads, settings)
    return heads


def build(recipe: Recipe, settings: Finetuning, prepared: Prepared, encoder: Any, heads: Heads) -> Joint:
    """Put together the networks that are trained; heads that are kept, and then the encoder too, stay as they are."""
    trained = Heads(
        captioner=heads.captioner,
        hazards=heads.hazards if trains(recipe, prepared, "hazard_classifier") else None,
        detector=heads.detector if trains(recipe, prepared, "detector") else None,
        phrases=heads.phrases,
    )
    model = Joint(encoder, trained, recipe, settings, frozen=bool(prepared.kept_heads))
    c3 = np.zeros((1, *encoder.output["c3"].shape[1:]), np.float32)
    model({"c3": c3, "tokens": np.zeros((1, 1, recipe.decoder.max_tokens), np.int32)})
    return model


def _begin_with_run(run: RunDir, encoder: Any, heads: Heads, settings: Finetuning) -> None:
    """Load the weights of the run of the recipe `settings.start`, or else of the earlier stages of this one."""
    start = RunDir(run.folder.parent / recipes.load(settings.start).name) if settings.start else run
    parts = (
        (start.base_captioner, heads.captioner),
        (start.best_evidence, heads.hazards),
        (start.best_detector, heads.detector),
    )
    for path, network in parts:
        if network is None:
            continue
        if path.exists() or settings.start is not None:
            _load(network, path)
    if start.encoder.exists():
        _load(encoder, start.encoder)


def _begin_with_bundle(folder: Path, encoder: Any, heads: Heads, recipe: Recipe, prepared: Prepared) -> None:
    """Load a bundle's weights; the encoder's layers up to `c3`, whose maps are cached, stay the recipe's own."""
    bundle = initial_bundle.load(folder)
    early = frozenset(layer.name for layer in keras.Model(encoder.input, encoder.output["c3"]).layers)
    bundle_weights.encoder(bundle, encoder, early)
    bundle_weights.captioner(bundle, heads.captioner, prepared.vocabulary)
    if heads.hazards is not None:
        bundle_weights.evidence(bundle, heads.hazards, list(prepared.terms))
    if heads.detector is not None and recipe.detector is not None:
        bundle_weights.detector(bundle, heads.detector.network, recipe.detector.classes)


def _fit_phrases(model: Joint, batches: MultitaskBatches, recipe: Recipe, sizes: Phrases) -> None:
    """Initialise the phrase predictor by a fit to the maps before fine-tuning, as taken and mirrored."""
    assert batches.targets is not None  # noqa: S101 - the recipe asks for phrases
    rows = {example.variants[0].path: row for row, example in enumerate(batches.examples) if not example.closeup}
    order = [rows[example.path] for example in batches.targets.examples]
    see = tf.function(lambda c3: feature_cache.pooled(model.maps(c3)["cells"]))
    chunks = [order[at : at + recipe.encoder.batch_size] for at in range(0, len(order), recipe.encoder.batch_size)]
    seen = [
        np.concatenate([see(tf.constant(variant[chunk])).numpy() for chunk in chunks]) for variant in batches.maps[:2]
    ]
    phrase_predictor.put(model.phrase_network, phrase_predictor.fit(seen, batches.targets, sizes))


def finish(model: Joint, encoder: Any, heads: Heads, validator: "Validator", run: RunDir) -> None:
    """Write the best epoch's networks, and the heads that were kept, where the later stages look for them."""
    _load(model, run.joint)
    checkpoint.save_weights(model.captioner, run.part("captioner"))
    if heads.hazards is not None:
        checkpoint.save_weights(heads.hazards, run.part("evidence"))
        thresholds_path = run.part("evidence").with_suffix(".json")
        checkpoint.write_bytes(msgspec.json.encode(validator.thresholds()), thresholds_path)
    if heads.detector is not None:
        checkpoint.save_weights(heads.detector, run.part("detector"))
    checkpoint.save_weights(encoder, run.encoder)  # last: where it is, all of the others are


class Validator:
    """Measures everything on the validation images."""

    def __init__(self, model: Joint, recipe: Recipe, prepared: Prepared, run: RunDir) -> None:
        self.model, self.recipe, self.prepared = model, recipe, prepared
        self.examples = multitask_examples.whole(prepared.val, prepared.boxes_val)
        self.early = _early("multitask-val", self.examples, 0, recipe, run)
        self.see = tf.function(model.maps)

    def __call__(self) -> dict[str, float]:
        """Return BLEU, CIDEr and, of the heads that are trained, AP50 of each class and recall of each danger.

        `all` is what the best epoch is chosen by: the sum of CIDEr, the first class's AP50 and the mean recall. Where
        CIDEr is 0, `loss` is the captioner's cross-entropy.
        """
        maps = self._maps()
        cached = self._captions(maps)
        speech = captioning.scorer(self.model.captioner, cached, self.prepared.vocabulary, self.recipe)()
        boxes = self._boxes(maps)
        recall: dict[str, float] = {}
        if self.model.hazard_network is not None:
            found = hazard_classifier.probabilities(self.model.hazard_network, cached)
            recall = _recall(found, cached.examples, list(self.prepared.terms))
        if speech["cider"] <= 0:
            speech["loss"] = self._caption_loss(cached)
        together = speech["cider"] + next(iter(boxes.values()), 0.0) + recall.get("evidence", 0.0)
        return {**speech, **boxes, **recall, "all": together}

    def thresholds(self) -> dict[str, float]:
        """Return each danger's threshold: chosen (see `thresholds.choose`), or the bundle's for a classifier kept."""
        start = initial_bundle.of(self.recipe)
        if self.model.hazard_network is None or self.recipe.hazard_classifier is None:
            return {danger: start.manifest.evidence[danger] for danger in self.prepared.terms} if start else {}
        cached = self._captions(self._maps())
        found = hazard_classifier.probabilities(self.model.hazard_network, cached)
        rate = self.recipe.hazard_classifier.false_positive_rate
        return thresholds.choose(found, cached.examples, list(self.prepared.terms), rate)

    def _maps(self) -> dict[str, npt.NDArray[np.float16]]:
        """Return the maps of all validation images [M, ...]."""
        found: dict[str, list[Any]] = {name: [] for name in MAPS}
        for at in range(0, len(self.early), self.recipe.encoder.batch_size):
            maps = self.see(tf.constant(self.early[at : at + self.recipe.encoder.batch_size], tf.float32))
            for name in MAPS:
                found[name].append(maps[name].numpy().astype(np.float16))
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def _caption_loss(self, cached: CaptionFeatures) -> float:
        batches = CaptionBatches(cached, self.prepared.vocabulary, self.recipe, shuffled=False)
        loss = decoder.masked_loss(0.0)
        each = [loss(batches[at][1], self.model.captioner(batches[at][0])) for at in range(len(batches))]
        return float(np.mean(each))

    def _captions(self, maps: dict[str, Any]) -> CaptionFeatures:
        return CaptionFeatures(self.prepared.val, (maps["cells"][: len(self.prepared.val)],))

    def _boxes(self, maps: dict[str, Any]) -> dict[str, float]:
        sizes = self.recipe.detector
        if sizes is None or self.model.detector is None:
            return {}
        rows = [row for row, example in enumerate(self.examples) if example.labelled]
        boxed = [self.examples[row].boxed(0) for row in rows]
        cached = detecting.BoxFeatures(boxed, ({name: values[rows] for name, values in maps.items()},))
        figures = detecting.average_precision(self.model.detector.network, cached, sizes)
        return {f"{name}_ap50": kinds["ap50"] for name, kinds in figures.items()}


def _early(name: str, known: Sequence[MultitaskExample], variant: int, recipe: Recipe, run: RunDir) -> Any:
    """Return the `c3` of one view of each example [M, h, w, D], from the encoder as it was before any fine-tuning."""
    variants = [example.variants[variant] for example in known]
    return feature_cache.cached(run.folder / "features", recipe.encoder, FeatureRequest(name, variants, ("c3",)))["c3"]


def _evidence_loss(wanted: Any, odds: Any) -> Any:
    """Return the cross-entropy over what is known: wanted [B, H, 2] (there; known), log-odds [B, H]."""
    each = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(wanted[..., 0], odds.dtype), odds)
    known = tf.cast(wanted[..., 1], odds.dtype)
    return tf.reduce_sum(each * known) / tf.maximum(tf.cast(tf.shape(odds)[0], odds.dtype), 1.0)


def _recall(found: Any, examples: Sequence[CaptionExample], dangers: Sequence[str]) -> dict[str, float]:
    """Return the share of each danger's scenes whose evidence exceeds that of all but 2 % of the peaceful scenes."""
    labels = np.array([example.label for example in examples])
    recalls = {}
    for column, danger in enumerate(dangers):
        peaceful, mine = found[labels == "none", column], found[labels == danger, column]
        if len(peaceful) and len(mine):
            recalls[f"{danger}_recall"] = float((mine > np.quantile(peaceful, 1 - FALSE_SHARE)).mean())
    return {**recalls, "evidence": float(np.mean(list(recalls.values()))) if recalls else 0.0}


def _load(network: Any, path: Any) -> None:
    try:
        network.load_weights(path)
    except (FileNotFoundError, ValueError, OSError) as error:
        raise CheckpointError(
            f"{path}: missing or of another recipe; train its run first: {first_line(error)}"
        ) from error


def _run(context: Context) -> None:
    if context.recipe.finetuning is not None:
        train(context.recipe, context.recipe.finetuning, context.prepared, context.run)


STAGE: Final = Stage(
    name="finetuning",
    needs=("captioner", "detector", "hazards"),
    is_wanted=lambda context: context.recipe.finetuning is not None,
    is_done=lambda context: context.run.encoder.exists(),
    run=_run,
)
