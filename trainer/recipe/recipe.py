"""The recipe: one YAML file that says what a model is made from, and how.

Every default stands here once. Paths are relative to the recipe's own folder.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from contract import wire
from contract.bundle import Decoding
from foundation import yaml_file
from foundation.yaml_file import Document
from trainer.recipe.data import Data, Section, Share

Positive = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
Rate = Annotated[float, Meta(gt=0)]

COARSEST: Final = 32
"""Pixels between two cells of the coarsest map, which the detector needs to divide the image evenly."""


class Vocabulary(Section, frozen=True, kw_only=True):
    """Which words the captioner may generate."""

    min_count: Positive = 4
    """Occurrences in the training captions from which a word is kept."""
    max_words: Positive = 10_000
    """The most frequent words are kept."""
    analyser: Literal["", "kiwi", "okt"] = ""
    """Morphological analyser of Korean; empty for Kiwi."""


class Encoder(Section, frozen=True, kw_only=True):
    """The image encoder; frozen, except in `finetuning`."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"batch": "batch_size"}

    name: str = "efficientnet-lite0"
    height: Positive = 224
    width: Positive = 224
    weights: str = "imagenet"
    """`imagenet`, a file, or empty for random weights."""
    flips: bool = True
    """Whether the feature cache also holds each training image mirrored."""
    batch_size: Positive = 32
    """Images encoded at once."""


class Decoder(Section, frozen=True, kw_only=True):
    """Sizes of the caption decoder."""

    embedding: Positive = 320
    state: Positive = 512
    attention: Positive = 256
    context: Positive = 384
    dropout: Share = 0.4
    """Dropout rate on the embedding, the context and before the softmax."""
    max_tokens: Positive = 18
    """Tokens of a caption with its end token; longer captions are cut in training, and counted by `prepare`."""


class Training(Section, frozen=True, kw_only=True):
    """Maximum-likelihood training of the captioner."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {
        "pictures": "batch_size",
        "sentences": "captions_per_image",
        "average": "ema_momentum",
        "score_pictures": "score_images",
    }

    epochs: Positive = 12
    batch_size: Positive = 32
    """Images in a batch."""
    captions_per_image: Positive = 3
    """Captions drawn for each image in a batch."""
    optimizer: Literal["adam", "adamw", "nadam", "adamax", "sgd"] = "adamw"
    learning_rate: Rate = 1e-3
    """The peak, reached after `warmup` and decayed along a cosine."""
    warmup: Share = 0.05
    """Share of all steps."""
    weight_decay: Annotated[float, Meta(ge=0)] = 0.01
    clip_norm: Rate = 5.0
    label_smoothing: Share = 0.1
    ema_momentum: Share = 0.999
    """Momentum of the exponential moving average of the weights; 0 for none."""
    hazard_share: Share = 0.35
    """Share of the images of each epoch drawn from the hazard datasets, as far as there are enough."""
    patience: Positive = 3
    """Epochs without a better validation score before training stops."""
    mixed_precision: bool | Literal["bfloat16", "float16"] = False
    """bfloat16 (or `true`) where the host has it; float16, with loss scaling, on GPUs before Ampere."""
    max_steps: Count = 0
    """Steps of an epoch, 0 for all; for smoke runs."""
    score_images: Positive = 500
    """Validation images captioned after each epoch."""


class Distillation(Section, frozen=True, kw_only=True):
    """Training a bundle's captioner on with sentences of its own beam; see `trainer.captions.distillation`."""

    sentences: Positive = 4
    """Sentences of each image's beam that are kept, the nearest to its references."""
    captions_per_image: Positive = 3
    """Of them drawn for each image in a batch, beside `training.captions_per_image` of the references."""


class SelfCritical(Section, frozen=True, kw_only=True):
    """Self-critical sequence training on CIDEr-D (Rennie et al. 2017), after maximum likelihood."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"pictures": "batch_size"}

    epochs: Count = 0
    """0 leaves it out."""
    batch_size: Positive = 32
    """Images in a batch."""
    samples: Annotated[int, Meta(ge=2)] = 5
    """Captions sampled for each image; the baseline of each is the mean of the others (Luo 2020)."""
    learning_rate: Rate = 1e-4
    likelihood_weight: Annotated[float, Meta(ge=0)] = 0.2
    """Weight of the maximum-likelihood loss, which keeps the language natural and the hazard words in it."""


class HazardClassifier(Section, frozen=True, kw_only=True):
    """The classifier whose evidence a hazard needs before a caption may name it."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"pictures": "batch_size", "false_share": "false_positive_rate"}

    width: Positive = 128
    """Units of the hidden layer."""
    dropout: Share = 0.5
    epochs: Positive = 10
    batch_size: Positive = 128
    """Images in a batch."""
    learning_rate: Rate = 1e-3
    false_positive_rate: Annotated[float, Meta(gt=0, lt=1)] = 0.02
    """Share of the peaceful validation scenes that may exceed any hazard's threshold."""


class Phrases(Section, frozen=True, kw_only=True):
    """The predictor of a caption's phrases; see `trainer.training.stages.phrase_predictor`."""

    min_count: Positive = 20
    """Training captions that must contain a phrase."""
    rank: Positive = 256
    """Rank of the regression: numbers between the pooled cells and the phrases."""
    ridge: Rate = 1.0
    """Penalty of the ridge regression, as a multiple of one image's share in the features' squares."""


class Detector(Section, frozen=True, kw_only=True):
    """The object detector on the encoder's maps."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"pictures": "batch_size"}

    classes: tuple[str, ...] = ("person",)
    width: Positive = 64
    """Channels of the feature pyramid."""
    epochs: Positive = 30
    batch_size: Positive = 32
    """Images in a batch."""
    learning_rate: Rate = 2e-3
    max_steps: Count = 0
    """Steps of an epoch, 0 for all."""
    score_threshold: Annotated[float, Meta(ge=0, le=1)] = 0.3


class Finetuning(Section, frozen=True, kw_only=True):
    """Joint fine-tuning of the encoder beyond `c3` and of every head that reads its maps.

    See `trainer.training.stages.joint_finetuning`.
    """

    OLD_KEYS: ClassVar[Mapping[str, str]] = {
        "pictures": "batch_size",
        "sentences": "captions_per_image",
        "average": "ema_momentum",
        "close_share": "closeup_share",
        "views": "augmentations",
        "least_area": "min_area",
        "close_below": "closeup_max_area",
        "calm_share": "peaceful_closeup_share",
        "evidence_weight": "hazards_weight",
    }

    start: Path | None = None
    """Initial weights: the recipe of a run, perhaps at a smaller resolution (Touvron et al. 2019), or the folder of a
    bundle, whose int8 weights are dequantized; without one, the earlier stages of its own run."""
    epochs: Positive = 8
    batch_size: Positive = 32
    """Images in a batch."""
    captions_per_image: Positive = 3
    """Captions drawn for each image in a batch."""
    learning_rate: Rate = 2e-4
    weight_decay: Annotated[float, Meta(ge=0)] = 0.02
    ema_momentum: Share = 0.998
    """Momentum of the exponential moving average of the weights."""
    hazard_share: Share = 0.25
    """Share of an epoch's images drawn from the hazard scenes, rarer labels more often than their number warrants."""
    closeup_share: Share = 0.1
    """Share of an epoch's images that are crops around a person or a weapon."""
    augmentations: Annotated[int, Meta(ge=2)] = 4
    """Versions of each image in the feature cache: as taken, mirrored, and the others cropped and tinted at random."""
    min_area: Annotated[float, Meta(gt=0, le=1)] = 0.55
    """Smallest share of the image that a random crop keeps."""
    closeup_max_area: Annotated[float, Meta(gt=0, le=1)] = 0.2
    """Crops are made around people who cover less than this share of the image."""
    peaceful_closeup_share: Annotated[float, Meta(ge=0, le=1)] = 0.4
    """Share of the peaceful images with people from which such a crop is made."""
    hazards_weight: Annotated[float, Meta(ge=0)] = 2.0
    boxes_weight: Annotated[float, Meta(ge=0)] = 1.0
    phrases_weight: Annotated[float, Meta(ge=0)] = 3.0
    """Weights of the losses of the hazard classifier, the detector and the phrase predictor against the captioner's."""
    max_steps: Count = 0
    """Steps of an epoch, 0 for all."""


class Recipe(Section, frozen=True, kw_only=True):
    """Everything that determines a model; two runs of one recipe differ by their seed alone."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"evidence": "hazard_classifier", "tuning": "finetuning"}

    name: Annotated[str, Meta(pattern=wire.NAME, description="1 to 63 of a-z, 0-9 and inner hyphens")]
    version: Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+" + wire.END, description="three numbers like 1.0.0")]
    language: Literal["en", "ko"] = "en"
    seed: int = 1
    data: Data
    vocabulary: Vocabulary = msgspec.field(default_factory=Vocabulary)
    encoder: Encoder = msgspec.field(default_factory=Encoder)
    decoder: Decoder = msgspec.field(default_factory=Decoder)
    training: Training = msgspec.field(default_factory=Training)
    distillation: Distillation | None = None
    self_critical: SelfCritical = msgspec.field(default_factory=SelfCritical)
    hazard_classifier: HazardClassifier | None = None
    phrases: Phrases | None = None
    detector: Detector | None = None
    finetuning: Finetuning | None = None
    decoding: Decoding = msgspec.field(default_factory=Decoding)
    known_failures: tuple[str, ...] = ()
    """Warnings for the model card."""

    def __post_init__(self) -> None:
        """Refuse settings that would fail only after hours; raises `ValueError`."""
        if self.vocabulary.analyser and self.language != "ko":
            raise ValueError("vocabulary.analyser is for Korean alone: leave it out, or let `language` be ko")
        sides = self.encoder.height, self.encoder.width
        if self.detector is not None and any(side % COARSEST for side in sides):
            raise ValueError(f"with a `detector`, encoder.height and encoder.width must be multiples of {COARSEST}")
        if self.detector is not None and self.encoder.name == "inception-v3":
            raise ValueError("the maps of encoder.name inception-v3 do not halve evenly, which the `detector` needs")


def load(path: Path) -> Recipe:
    """Return the recipe of a file; raises `Misconfigured` naming the file, the line, the field and what is right."""
    return of(yaml_file.read(path))


def of(document: Document) -> Recipe:
    """Return the recipe that a file, or a document made from one, holds; raises `Misconfigured` as `load` does."""
    recipe = document.convert(Recipe)
    if recipe.encoder.weights in {"", "imagenet"}:
        return recipe
    weights = str(yaml_file.located(document.folder, recipe.encoder.weights))
    return msgspec.structs.replace(recipe, encoder=msgspec.structs.replace(recipe.encoder, weights=weights))
