"""The converter's settings: how much to look at, and what a bundle must keep to be written."""

import difflib
from pathlib import Path
from typing import Annotated, Any, Final, get_type_hints

import msgspec
import yaml
from msgspec import Meta

from converter.errors import Unusable

Count = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]

NOT_YAML: Final = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)
"""What PyYAML lets through: of dates that are none (`2001-99-99`), of `!!int` without digits, of endless nesting."""


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


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`converter.yaml`."""

    calibration: Calibration = msgspec.field(default_factory=Calibration)
    """The pictures that set the ranges of the int8 numbers."""
    comparison: Comparison = msgspec.field(default_factory=Comparison)
    """The pictures on which float32 and int8 are compared."""
    limits: Limits = msgspec.field(default_factory=Limits)
    """What a bundle must keep."""


def load(path: Path) -> Settings:
    """Read the settings; raises `Unusable` naming the file, the dotted key and what would be right."""
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}; give the right file with --config") from error
    except UnicodeDecodeError as error:
        raise Unusable(f"{path}: byte {error.start} is not UTF-8") from error
    except (yaml.YAMLError, *NOT_YAML) as error:
        raise Unusable(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from error
    try:
        _refuse_unknown_keys(tree, Settings, str(path), "")
        return msgspec.convert(tree, Settings)
    except RecursionError as error:
        raise Unusable(f"{path}: an anchor holds itself") from error
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$")
        field = where.strip("`.")
        raise Unusable(f"{path}: {field}: {message}" if field else f"{path}: {message}") from error


def _refuse_unknown_keys(tree: Any, kind: type[msgspec.Struct], file: str, prefix: str) -> None:
    """Say which key the operator may have meant, at any depth; wrong types are left to msgspec."""
    if not isinstance(tree, dict):
        return
    kinds = get_type_hints(kind)
    for key, value in tree.items():
        if key not in kind.__struct_fields__:
            near = difflib.get_close_matches(str(key), kind.__struct_fields__, n=1, cutoff=0.5)
            hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(kind.__struct_fields__)}"
            raise Unusable(f"{file}: {prefix}{key}: unknown key; {hint}")
        if isinstance(kinds[key], type) and issubclass(kinds[key], msgspec.Struct):
            _refuse_unknown_keys(value, kinds[key], file, f"{prefix}{key}.")
