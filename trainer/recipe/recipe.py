"""The recipe: one YAML file that says what a model is made from, and how.

Every default stands here once. Paths are relative to the recipe's own folder.
"""

import difflib
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
import yaml
from msgspec import Meta

from contract import wire
from contract.bundle import Decoding
from trainer.errors import RecipeError
from trainer.recipe.data import Data, Section, Share

Positive = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
Rate = Annotated[float, Meta(gt=0)]

COARSEST: Final = 32
"""Pixels between two cells of the coarsest map, which the detector needs to divide the picture evenly."""

NOT_YAML: Final = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)
"""What PyYAML lets through: of dates that are none (`2001-99-99`), of `!!int` without digits, of endless nesting."""


class Vocabulary(Section, frozen=True, kw_only=True):
    """Which words the captioner may say."""

    min_count: Positive = 4
    """A word must occur so often in the training sentences."""
    max_words: Positive = 10_000
    """The most frequent ones stay."""
    analyser: Literal["", "kiwi", "okt"] = ""
    """What cuts Korean into morphemes; empty for Kiwi."""


class Encoder(Section, frozen=True, kw_only=True):
    """The network that looks; frozen."""

    name: str = "efficientnet-lite0"
    height: Positive = 224
    width: Positive = 224
    weights: str = "imagenet"
    """`imagenet`, a file, or empty for random weights."""
    flips: bool = True
    """Also cache the features of mirrored pictures, for training."""
    batch: Positive = 32
    """Pictures encoded at once."""


class Decoder(Section, frozen=True, kw_only=True):
    """Sizes of the network that speaks."""

    embedding: Positive = 320
    state: Positive = 512
    attention: Positive = 256
    context: Positive = 384
    dropout: Share = 0.4
    """Share of numbers dropped on the embedding, the context and before the softmax."""
    max_tokens: Positive = 18
    """Words of a sentence with its end; longer ones lose their tail in training."""


class Training(Section, frozen=True, kw_only=True):
    """Maximum-likelihood training."""

    epochs: Positive = 12
    pictures: Positive = 32
    """Pictures in a batch."""
    sentences: Positive = 3
    """Sentences drawn for each picture in a batch."""
    optimizer: Literal["adam", "adamw", "nadam", "adamax", "sgd"] = "adamw"
    learning_rate: Rate = 1e-3
    """The highest, reached after `warmup` and left along a cosine."""
    warmup: Share = 0.05
    """Share of all steps."""
    weight_decay: Annotated[float, Meta(ge=0)] = 0.01
    clip_norm: Rate = 5.0
    label_smoothing: Share = 0.1
    average: Share = 0.999
    """Momentum of the exponential moving average of the weights; 0 for none."""
    hazard_share: Share = 0.35
    """Share of the pictures of each epoch drawn from the hazard sets, as far as there are any."""
    patience: Positive = 3
    """Epochs without a better validation CIDEr before training stops."""
    mixed_precision: bool | Literal["bfloat16", "float16"] = False
    """Half the bits: bfloat16 (or `true`) where the host has it; float16, with a scaled loss, on GPUs before Ampere."""
    max_steps: Count = 0
    """Steps of an epoch, 0 for all: a smoke run cuts here."""
    score_pictures: Positive = 500
    """Validation pictures captioned after each epoch."""


class SelfCritical(Section, frozen=True, kw_only=True):
    """Self-critical sequence training on CIDEr-D (Rennie et al. 2017), after maximum likelihood."""

    epochs: Count = 0
    """0 leaves it out."""
    pictures: Positive = 32
    samples: Annotated[int, Meta(ge=2)] = 5
    """Sentences drawn for each picture; each is judged against the mean of the others (Luo 2020)."""
    learning_rate: Rate = 1e-4
    likelihood_weight: Annotated[float, Meta(ge=0)] = 0.2
    """Weight of the maximum-likelihood loss that keeps the language natural and the hazard words in it."""


class Evidence(Section, frozen=True, kw_only=True):
    """The classifier that keeps the captioner from naming dangers that nothing in the picture speaks for."""

    width: Positive = 128
    """Hidden numbers."""
    dropout: Share = 0.5
    epochs: Positive = 10
    pictures: Positive = 128
    """Pictures in a batch."""
    learning_rate: Rate = 1e-3
    false_share: Annotated[float, Meta(gt=0, lt=1)] = 0.02
    """Share of the peaceful validation scenes that may exceed any danger's limit."""


class Phrases(Section, frozen=True, kw_only=True):
    """What is expected of a picture's sentences before one is made; see `trainer.training.stages.phrase_predictor`."""

    min_count: Positive = 20
    """A phrase must stand in so many of the training sentences."""
    rank: Positive = 256
    """Numbers between the pooled cells and the phrases."""
    ridge: Rate = 1.0
    """Penalty of the regression, as a multiple of one picture's share in the features' squares."""


class Detector(Section, frozen=True, kw_only=True):
    """Boxes from the same features."""

    classes: tuple[str, ...] = ("person",)
    width: Positive = 64
    """Channels of the feature pyramid."""
    epochs: Positive = 30
    pictures: Positive = 32
    learning_rate: Rate = 2e-3
    max_steps: Count = 0
    score_threshold: Annotated[float, Meta(ge=0, le=1)] = 0.3


class Tuning(Section, frozen=True, kw_only=True):
    """Fine-tuning of the encoder beyond `c3` together with everything that reads its maps.

    See `trainer.training.stages.joint_finetuning`.
    """

    start: Path | None = None
    """What it begins with: the recipe of a run, perhaps of a smaller picture (Touvron et al. 2019), or the folder of a
    bundle, whose int8 weights are read back; without one, the earlier stages of its own run."""
    epochs: Positive = 8
    pictures: Positive = 32
    sentences: Positive = 3
    """Sentences drawn for each picture in a batch."""
    learning_rate: Rate = 2e-4
    weight_decay: Annotated[float, Meta(ge=0)] = 0.02
    average: Share = 0.998
    """Momentum of the exponential moving average of the weights."""
    hazard_share: Share = 0.25
    """Share of an epoch's pictures drawn from the hazard scenes, rarer labels more often than their number warrants."""
    close_share: Share = 0.1
    """Share drawn from close looks at people and weapons."""
    views: Annotated[int, Meta(ge=2)] = 4
    """Ways to look at each picture: as taken, mirrored, and the others cut and tinted at random."""
    least_area: Annotated[float, Meta(gt=0, le=1)] = 0.55
    """Least share of the picture that a cut leaves."""
    close_below: Annotated[float, Meta(gt=0, le=1)] = 0.2
    """Share of the picture that a person may fill for a close look to be worth it."""
    calm_share: Annotated[float, Meta(ge=0, le=1)] = 0.4
    """Share of the peaceful pictures with people that are looked at closely."""
    evidence_weight: Annotated[float, Meta(ge=0)] = 2.0
    boxes_weight: Annotated[float, Meta(ge=0)] = 1.0
    phrases_weight: Annotated[float, Meta(ge=0)] = 3.0
    """Weights of the losses of the evidence, of the detector and of the phrases against the captioner's."""
    max_steps: Count = 0
    """Steps of an epoch, 0 for all."""


class Recipe(Section, frozen=True, kw_only=True):
    """Everything that makes a model; two runs of one recipe differ by their seed alone."""

    name: Annotated[str, Meta(pattern=wire.NAME)]
    version: Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+" + wire.END)]
    language: Literal["en", "ko"] = "en"
    seed: int = 1
    data: Data
    vocabulary: Vocabulary = msgspec.field(default_factory=Vocabulary)
    encoder: Encoder = msgspec.field(default_factory=Encoder)
    decoder: Decoder = msgspec.field(default_factory=Decoder)
    training: Training = msgspec.field(default_factory=Training)
    self_critical: SelfCritical = msgspec.field(default_factory=SelfCritical)
    evidence: Evidence | None = None
    phrases: Phrases | None = None
    detector: Detector | None = None
    tuning: Tuning | None = None
    decoding: Decoding = msgspec.field(default_factory=Decoding)
    known_failures: tuple[str, ...] = ()
    """What the card should warn of."""

    def __post_init__(self) -> None:
        """Refuse what would only fail after hours; raises `ValueError`."""
        if self.vocabulary.analyser and self.language != "ko":
            raise ValueError("vocabulary.analyser is for Korean alone: leave it out, or let `language` be ko")
        sides = self.encoder.height, self.encoder.width
        if self.detector is not None and any(side % COARSEST for side in sides):
            raise ValueError(f"with a `detector`, encoder.height and encoder.width must be multiples of {COARSEST}")
        if self.detector is not None and self.encoder.name == "inception-v3":
            raise ValueError("the maps of encoder.name inception-v3 do not halve evenly, which the `detector` needs")
        if self.tuning is not None and (self.detector is None or self.evidence is None):
            raise ValueError("`tuning` tunes `evidence` and `detector` too: give both, even if empty")


def load(path: Path) -> Recipe:
    """Read a recipe; raises `RecipeError` naming the file, the field and what would be right."""
    return of(document(path), path)


def document(path: Path) -> Any:
    """Read YAML, whatever it holds; raises `RecipeError` naming the file."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, *NOT_YAML) as error:
        raise RecipeError(f"{path}: not YAML: {' '.join(str(error).split())}") from error


def of(document: Any, path: Path) -> Recipe:
    """Check what a recipe's file, or one that was made from it, holds; raises `RecipeError` as `load` does."""
    folder = path.resolve().parent
    try:
        recipe = msgspec.convert(document, Recipe, dec_hook=lambda kind, value: _path(folder, kind, value))
    except RecursionError as error:
        raise RecipeError(f"{path}: an anchor holds itself") from error
    except msgspec.ValidationError as error:
        raise RecipeError(f"{path}: {error}{_nearest(str(error))}") from error
    if recipe.encoder.weights in {"", "imagenet"}:
        return recipe
    weights = str(_path(folder, Path, recipe.encoder.weights))
    return msgspec.structs.replace(recipe, encoder=msgspec.structs.replace(recipe.encoder, weights=weights))


def _path(folder: Path, kind: type, value: Any) -> Path:
    if kind is not Path or not isinstance(value, str):
        raise TypeError(f"{value!r} is not a {kind.__name__}")
    return (folder / value).resolve()


def _nearest(message: str) -> str:
    """Suggest a known key for an unknown one."""
    if "unknown field" not in message:
        return ""
    unknown = message.split("`")[1]
    sections: list[type[Section]] = Section.__subclasses__()
    known = {name for section in sections for name in section.__struct_fields__}
    close = difflib.get_close_matches(unknown, sorted(known), n=1)
    return f"; did you mean `{close[0]}`?" if close else ""
