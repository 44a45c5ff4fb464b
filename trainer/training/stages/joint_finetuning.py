"""Fine-tunes the encoder together with the captioner, the evidence and the detector that read its maps.

What comes before `c3` (edges, textures) stays as ImageNet made it, so that a step begins from cached maps of stride 8;
the later layers learn, with their batch normalisation at its known statistics. One pass of the encoder serves all heads
on the device, so all of them pull at it here.
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
from trainer.recipe import recipe as recipes
from trainer.recipe.recipe import Finetuning, Phrases, Recipe
from trainer.recipe.run_dir import RunDir
from trainer.training import checkpoint, feature_cache, multitask_examples, thresholds
from trainer.training.caption_batches import CaptionFeatures
from trainer.training.feature_cache import FeatureRequest
from trainer.training.multitask_batches import MultitaskBatches
from trainer.training.multitask_examples import MultitaskExample
from trainer.training.stages import captioner as captioning
from trainer.training.stages import detector as detecting
from trainer.training.stages import hazard_classifier, phrase_predictor
from trainer.training.stages.phrase_predictor import Targets

MAPS: Final = ("c3", "c4", "cells")

BATCH_NORM_IMAGES: Final = 256
"""Images whose maps give the statistics that a bundle does not tell."""

FALSE_SHARE: Final = 0.02
"""Of peaceful scenes, at which the evidence is judged between epochs."""


@dataclass(frozen=True, slots=True)
class Heads:
    """What reads the encoder's maps."""

    captioner: decoder.Decoder
    evidence: Any
    detector: detecting.Trainable
    phrases: Any | None = None
    """What predicts the phrases of an image's sentences, where the recipe asks for it: to teach the encoder by. What
    ships is fitted once more to the tuned cells."""


class Joint(keras.Model):  # type: ignore[misc]  # keras has no stubs
    """The encoder beyond `c3` and everything that reads its maps."""

    def __init__(self, encoder: Any, heads: Heads, recipe: Recipe, settings: Finetuning) -> None:
        super().__init__(name="joint")
        encoder.trainable = True
        outputs = {name: encoder.output[name] for name in ("c4", "cells")}
        self.tail = keras.Model(encoder.output["c3"], outputs, name="tail")
        self.captioner, self.hazard_network, self.detector = heads.captioner, heads.evidence, heads.detector
        self.phrase_network = heads.phrases
        self.settings = settings
        self.speech_loss = decoder.masked_loss(recipe.training.label_smoothing)
        names = ("speech", "evidence", "boxes", *(("phrases",) if heads.phrases is not None else ()))
        self.parts = {name: keras.metrics.Mean(name) for name in names}

    def maps(self, c3: Any) -> dict[str, Any]:
        """Return all maps of images, from `c3`; batch normalisation keeps the statistics that it has."""
        c3 = tf.cast(c3, tf.float32)
        return {"c3": c3, **self.tail(c3, training=False)}

    def call(self, inputs: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return `words` [B, R, T, V], `evidence` [B, H] as log-odds, `boxes`, `odds`, and `phrases` [B, P]."""
        maps = self.maps(inputs["c3"])
        cells = maps["cells"]
        pooled = feature_cache.pooled(cells)
        return {
            "words": self.captioner((cells, inputs["tokens"]), training=training),
            "evidence": self.hazard_network(pooled, training=training),
            **({} if self.phrase_network is None else {"phrases": self.phrase_network(pooled, training=training)}),
            **self.detector.network(maps, training=training),
        }

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any) -> Any:  # noqa: ARG002
        """Add the losses of the parts; the parameters' names are Keras's."""
        found = {
            "speech": self.speech_loss(y["words"], y_pred["words"]),
            "evidence": _evidence_loss(y["evidence"], y_pred["evidence"]),
            "boxes": self.detector.compute_loss(y=y["truth"], y_pred=y_pred),
        }
        if self.phrase_network is not None:
            written = tf.reduce_any(y["words"] != PAD, [1, 2])
            found["phrases"] = phrase_predictor.loss(y["phrases"], y_pred["phrases"], written)
        for name, value in found.items():
            self.parts[name].update_state(value)
        return (
            found["speech"]
            + self.settings.hazards_weight * found["evidence"]
            + self.settings.boxes_weight * found["boxes"]
            + self.settings.phrases_weight * found.get("phrases", 0.0)
        )

    @property
    def metrics(self) -> list[Any]:
        """What Keras resets and reports each epoch."""
        return [*super().metrics, *self.parts.values()]


def begun(recipe: Recipe, run: RunDir) -> bool:
    """Return whether the stages before are done with: they ran elsewhere, or the encoder has moved on."""
    return recipe.finetuning is not None and (recipe.finetuning.start is not None or run.encoder.exists())


def train(recipe: Recipe, settings: Finetuning, prepared: Prepared, run: RunDir) -> None:
    """Tune until the epochs are done; a killed run goes on at its last whole epoch. The best epoch's parts are kept."""
    if run.encoder.exists():
        return
    keras.utils.set_random_seed(recipe.seed)
    known = multitask_examples.gather(recipe, settings, prepared, run)
    variants = [_early(f"multitask-{number}", known, number, recipe, run) for number in range(settings.augmentations)]
    batches = MultitaskBatches(known, variants, prepared, recipe, settings)
    encoder = feature_cache.build_encoder(recipe.encoder)
    model = build(recipe, settings, prepared, run, encoder)
    if settings.start is not None and bundle_weights.is_bundle(settings.start):
        bundle_weights.recalibrate_batch_norm(
            model.detector.network, model.maps(variants[0][:: max(1, len(known) // BATCH_NORM_IMAGES)])
        )
    if recipe.phrases is not None and not any(run.backup("tuning").glob("*")):
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
            ema_momentum=settings.ema_momentum,
        )
    )
    judge = Validator(model, recipe, prepared, run)
    keep = checkpoint.KeepBest(run.joint, judge, monitor="all", patience=settings.epochs)
    checkpoint.fit(model, batches, run, "tuning", keep, epochs=settings.epochs)
    finish(model, encoder, judge, recipe, run)


def build(recipe: Recipe, settings: Finetuning, prepared: Prepared, run: RunDir, encoder: Any) -> Joint:
    """Put the networks together, each with the weights of its own stage where the run has them."""
    shapes = {name: tuple(encoder.output[name].shape[1:]) for name in MAPS}
    assert recipe.hazard_classifier is not None  # noqa: S101 - the recipe has made sure of both
    assert recipe.detector is not None  # noqa: S101
    with captioning.precision(recipe.training):
        captioner = captioning.build(recipe, prepared.vocabulary, shapes["cells"][-1])
    hazard_network = hazard_classifier.build(shapes["cells"][-1], len(prepared.terms), recipe.hazard_classifier)
    boxes = detecting.build(recipe.detector, {name: np.zeros((1, *shape)) for name, shape in shapes.items()})
    phrase_network = None
    if recipe.phrases is not None:
        count = len(Targets.of(prepared, recipe.phrases).rarities)
        phrase_network = phrase_predictor.build(2 * shapes["cells"][-1], count, recipe.phrases)
    heads = Heads(captioner, hazard_network, boxes, phrase_network)
    if settings.start is not None and bundle_weights.is_bundle(settings.start):
        _begin_with_bundle(settings.start, encoder, heads, recipe, prepared)
    else:
        _begin_with_run(run, encoder, heads, settings)
    model = Joint(encoder, heads, recipe, settings)
    c3, tokens = np.zeros((1, *shapes["c3"]), np.float32), np.zeros((1, 1, recipe.decoder.max_tokens), np.int32)
    model({"c3": c3, "tokens": tokens})
    return model


def _begin_with_run(run: RunDir, encoder: Any, heads: Heads, settings: Finetuning) -> None:
    """Load what the run of the recipe `settings.start` has learnt, or else what the earlier stages of this one have."""
    start = RunDir(run.folder.parent / recipes.load(settings.start).name) if settings.start else run
    parts = (
        (start.base_captioner, heads.captioner),
        (start.best_evidence, heads.evidence),
        (start.best_detector, heads.detector),
    )
    for path, network in parts:
        if path.exists() or settings.start is not None:
            _load(network, path)
    if start.encoder.exists():
        _load(encoder, start.encoder)


def _begin_with_bundle(folder: Path, encoder: Any, heads: Heads, recipe: Recipe, prepared: Prepared) -> None:
    """Load what a bundle knows; the encoder's layers up to `c3`, whose maps are cached, stay the recipe's own."""
    assert recipe.detector is not None  # noqa: S101 - the recipe has made sure of it
    bundle = bundle_weights.load(folder)
    early = frozenset(layer.name for layer in keras.Model(encoder.input, encoder.output["c3"]).layers)
    bundle_weights.encoder(bundle, encoder, early)
    bundle_weights.captioner(bundle, heads.captioner, prepared.vocabulary)
    bundle_weights.evidence(bundle, heads.evidence, list(prepared.terms))
    bundle_weights.detector(bundle, heads.detector.network, recipe.detector.classes)


def _fit_phrases(model: Joint, batches: MultitaskBatches, recipe: Recipe, sizes: Phrases) -> None:
    """Begin with the phrases that the maps as they are predict best: of images as taken, and mirrored."""
    assert batches.targets is not None  # noqa: S101 - the recipe asks for phrases
    rows = {example.variants[0].path: row for row, example in enumerate(batches.examples) if not example.closeup}
    order = [rows[example.path] for example in batches.targets.examples]
    see = tf.function(lambda c3: feature_cache.pooled(model.maps(c3)["cells"]))
    chunks = [order[at : at + recipe.encoder.batch_size] for at in range(0, len(order), recipe.encoder.batch_size)]
    seen = [
        np.concatenate([see(tf.constant(variant[chunk])).numpy() for chunk in chunks]) for variant in batches.maps[:2]
    ]
    phrase_predictor.put(model.phrase_network, phrase_predictor.fit(seen, batches.targets, sizes))


def finish(model: Joint, encoder: Any, judge: "Validator", recipe: Recipe, run: RunDir) -> None:
    """Write the best epoch's networks where the later stages look for them, and the limits of the evidence."""
    _load(model, run.joint)
    model.captioner.save_weights(run.part("captioner"))
    model.hazard_network.save_weights(run.part("evidence"))
    model.detector.save_weights(run.part("detector"))
    assert recipe.hazard_classifier is not None  # noqa: S101 - the recipe has made sure of it
    chosen = judge.limits(recipe.hazard_classifier.false_positive_rate)
    run.part("evidence").with_suffix(".json").write_bytes(msgspec.json.encode(chosen))
    scratch = run.encoder.with_name(f"new-{run.encoder.name}")
    encoder.save_weights(scratch)
    scratch.replace(run.encoder)  # last: where it is, all of the others are


class Validator:
    """Measures everything on the validation images."""

    def __init__(self, model: Joint, recipe: Recipe, prepared: Prepared, run: RunDir) -> None:
        self.model, self.recipe, self.prepared = model, recipe, prepared
        self.examples = multitask_examples.whole(prepared.val, prepared.boxes_val)
        self.early = _early("multitask-val", self.examples, 0, recipe, run)
        self.see = tf.function(model.maps)

    def __call__(self) -> dict[str, float]:
        """Return BLEU, CIDEr, AP50 and each danger's recall, and `all`: CIDEr, the first class's AP50, mean recall."""
        maps = self._maps()
        cached, found = self._evidence(maps)
        speech = captioning.scorer(self.model.captioner, cached, self.prepared.vocabulary, self.recipe)()
        boxes = self._boxes(maps)
        recall = _recall(found, cached.examples, list(self.prepared.terms))
        together = speech["cider"] + next(iter(boxes.values())) + recall["evidence"]
        return {**speech, **boxes, **recall, "all": together}

    def limits(self, false_positive_rate: float) -> dict[str, float]:
        """Choose each danger's limit, see `limits.choose`."""
        cached, found = self._evidence(self._maps())
        return thresholds.choose(found, cached.examples, list(self.prepared.terms), false_positive_rate)

    def _maps(self) -> dict[str, npt.NDArray[np.float16]]:
        """Return the maps of all validation images [M, ...]."""
        found: dict[str, list[Any]] = {name: [] for name in MAPS}
        for at in range(0, len(self.early), self.recipe.encoder.batch_size):
            maps = self.see(tf.constant(self.early[at : at + self.recipe.encoder.batch_size], tf.float32))
            for name in MAPS:
                found[name].append(maps[name].numpy().astype(np.float16))
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def _evidence(self, maps: dict[str, Any]) -> tuple[CaptionFeatures, Any]:
        count = len(self.prepared.val)
        cached = CaptionFeatures(self.prepared.val, (maps["cells"][:count],))
        return cached, hazard_classifier.probabilities(self.model.hazard_network, cached)

    def _boxes(self, maps: dict[str, Any]) -> dict[str, float]:
        sizes = self.recipe.detector
        assert sizes is not None  # noqa: S101 - the recipe has made sure of it
        rows = [row for row, example in enumerate(self.examples) if example.labelled]
        boxed = [self.examples[row].boxed(0) for row in rows]
        cached = detecting.BoxFeatures(boxed, ({name: values[rows] for name, values in maps.items()},))
        figures = detecting.average_precision(self.model.detector.network, cached, sizes)
        return {f"{name}_ap50": kinds["ap50"] for name, kinds in figures.items()}


def _early(name: str, known: Sequence[MultitaskExample], variant: int, recipe: Recipe, run: RunDir) -> Any:
    """Return the `c3` of one view of each example [M, h, w, D], from the encoder as it was before any settings."""
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
