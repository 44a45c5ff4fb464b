"""`converter.yaml`: how many images to calibrate and compare on, and the limits that a bundle must keep."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from foundation import yaml_file

Count = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Images that the ranges of the int8 numbers are measured on."""

    seed: int = 1
    """Seed of the draw; the same seed and list make the same bundle."""
    pictures: Count = 256
    """Number of images; ranges settle after one or two hundred (Jacob et al. 2018 calibrate on a few hundred)."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Images on which the float32 models and the bundle are compared."""

    seed: int = 1
    """Seed of the draw, where there are more images than `pictures`."""
    pictures: Count = 1000
    """Largest number of images."""


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of the differences to float32; a bundle that exceeds one is not written."""

    cosine: Share = 0.95
    """Least mean cosine of each tensor to its float32 original."""
    equal_tokens: Share = 0.6
    """Least share of words at the same position in both sentences: one early difference shifts all that follow."""
    equal_captions: Share = 0.4
    """Least share of images with the same sentence."""
    bleu_4_drop: Share = 0.03
    """Largest loss of BLEU-4, as a share of the BLEU-4 of the float32 models."""
    cider_drop: Share = 0.02
    """Largest loss of CIDEr, as a share of the CIDEr of the float32 models."""
    ap50_drop: Share = 0.05
    """Largest loss of AP50 of any class, as a share of the AP50 of the float32 models."""
    megabytes: Annotated[float, Meta(gt=0)] = 12.0
    """Largest size of the whole bundle, in 10^6 bytes."""


Runtime = Literal["litert", "tflite-runtime"]
"""Interpreters that a bundle can be written for."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`converter.yaml`."""

    calibration: Calibration = msgspec.field(default_factory=Calibration)
    """Images that the ranges of the int8 numbers are measured on."""
    comparison: Comparison = msgspec.field(default_factory=Comparison)
    """Images on which float32 and int8 are compared."""
    limits: Limits = msgspec.field(default_factory=Limits)
    """Limits of the differences to float32."""
    runtime: Runtime = "litert"
    """The oldest interpreter that runs the bundle. tflite-runtime 2.14 knows no dense layer with a scale for each
    output (FULLY_CONNECTED version 12): with it, the decoder's dense layers have one scale each, and lose a little."""


def load(path: Path) -> Settings:
    """Return the settings of a file; raises `Misconfigured` naming the file, the line, the key and what is right."""
    return yaml_file.load(path, Settings, if_missing="name the right file with --config")
