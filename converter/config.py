"""The converter's settings: how much to look at, and what a bundle must keep to be written."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from foundation import yaml_file

Count = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The pictures that set the ranges of the int8 numbers."""

    seed: int = 1
    """Draws the pictures; the same seed and list give the same bundle."""
    pictures: Count = 256
    """How many: ranges settle after one or two hundred (Jacob et al. 2018 calibrate on a few hundred)."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The pictures on which the float32 models and the bundle are compared."""

    seed: int = 1
    """Draws the pictures where there are more than `pictures`."""
    pictures: Count = 1000
    """How many at most."""


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bundle must keep; one that misses any of these is not written."""

    cosine: Share = 0.95
    """Least mean cosine of each tensor to its float32 original."""
    equal_tokens: Share = 0.6
    """Least share of words that stand at the same place in both sentences: one early change of mind moves the rest."""
    equal_captions: Share = 0.4
    """Least share of pictures with the very same sentence."""
    bleu_4_drop: Share = 0.03
    """Greatest loss of BLEU-4, as a share of the float32 models' BLEU-4."""
    cider_drop: Share = 0.02
    """Greatest loss of CIDEr, as a share of the float32 models' CIDEr."""
    ap50_drop: Share = 0.05
    """Greatest loss of a class's AP50, as a share of the float32 models'."""
    megabytes: Annotated[float, Meta(gt=0)] = 12.0
    """Greatest size of the whole bundle, in 10^6 bytes."""


Runtime = Literal["litert", "tflite-runtime"]
"""Interpreters that a bundle can be written for."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`converter.yaml`."""

    calibration: Calibration = msgspec.field(default_factory=Calibration)
    """The pictures that set the ranges of the int8 numbers."""
    comparison: Comparison = msgspec.field(default_factory=Comparison)
    """The pictures on which float32 and int8 are compared."""
    limits: Limits = msgspec.field(default_factory=Limits)
    """What a bundle must keep."""
    runtime: Runtime = "litert"
    """The oldest interpreter that runs the bundle. tflite-runtime 2.14 knows no dense layer with a scale for each
    output (FULLY_CONNECTED version 12): with it, the decoder's dense layers have one scale each, and lose a little."""


def load(path: Path) -> Settings:
    """Return the settings of a file; raises `Misconfigured` naming the file, the line, the key and what is right."""
    return yaml_file.load(path, Settings, if_missing="name the right file with --config")
