"""What the trainer hands over: a folder of SavedModels with `export.json` beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract import bundle, phrases, wire
from contract import vocabulary as vocab
from contract.vocabulary import Vocabulary
from converter.errors import Unusable

FILE: Final = "export.json"
VOCABULARY: Final = "vocabulary.txt"
PHRASES: Final = "phrases.txt"
"""Optional: goes with the output `expected` of `decoder_init`."""

MODELS: Final[tuple[bundle.Role, ...]] = ("encoder", "decoder_init", "decoder_step")
"""Every export has these, in the order in which each feeds the next; the detector is optional and comes last."""


class Representative(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pictures that look like what the camera will see."""

    images: tuple[str, ...]
    """Paths; relative ones start at the export's folder."""


class Description(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`export.json`."""

    name: Annotated[str, Meta(pattern=wire.NAME)]
    """Name of the bundle: `wordcam-1`."""
    version: Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+" + wire.END)]
    """Semantic version."""
    language: Annotated[str, Meta(pattern=r"^[a-z]{2,3}" + wire.END)]
    """Language of the sentences."""
    input: bundle.Input
    """The picture the encoder takes."""
    decoding: bundle.Decoding
    """How sentences are searched for."""
    detection: bundle.Detection | None = None
    """How boxes are read; with it goes a SavedModel `detector`."""
    hazards: dict[str, tuple[str, ...]]
    """Words of each danger."""
    licences: Annotated[tuple[bundle.Licence, ...], Meta(min_length=1)]
    """Terms of the data and weights it was made from."""
    evidence: dict[str, Annotated[float, Meta(ge=0, le=1)]] = {}
    """Least evidence at which each danger may be named; empty where the model weighs none."""
    commands: tuple[str, ...]
    """What was typed to make it, in order."""
    representative: Representative
    """Pictures to calibrate on."""
    known_failures: tuple[str, ...]
    """What it does wrong."""
    data: tuple[str, ...]
    """What it was trained on."""


@dataclass(frozen=True, slots=True)
class Export:
    """A checked export."""

    folder: Path
    description: Description
    vocabulary: Vocabulary
    models: Mapping[bundle.Role, Path]
    """SavedModel folders, by what they are for."""
    phrases: str | None = None
    """Text of the phrases, if the decoder expects any."""


def load(folder: Path) -> Export:
    """Read an export; raises `Unusable` or `contract.errors.Refused` naming the file and field at fault."""
    description = _describe(folder / FILE)
    roles = (*MODELS, "detector") if description.detection is not None else MODELS
    models: dict[bundle.Role, Path] = {role: folder / role for role in roles}
    for path in models.values():
        if not (path / "saved_model.pb").is_file():
            raise Unusable(f"{path / 'saved_model.pb'}: no such file; run `wordcam-train export` again")
    vocabulary = vocab.load(folder / VOCABULARY)
    _check_hazards(folder / FILE, description, vocabulary)
    return Export(folder, description, vocabulary, models, _phrases(folder / PHRASES, vocabulary))


def _phrases(path: Path, vocabulary: Vocabulary) -> str | None:
    return phrases.dump(phrases.load(path, vocabulary), vocabulary) if path.exists() else None


def _describe(path: Path) -> Description:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Description)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}; an export is a folder that `wordcam-train export` wrote") from error
    except msgspec.DecodeError as error:
        raise Unusable(f"{path}: {error}") from error


def _check_hazards(path: Path, description: Description, vocabulary: Vocabulary) -> None:
    """A danger whose words the model cannot say would never be reported, and nobody would know."""
    for term, expressions in description.hazards.items():
        if not any(all(word in vocabulary.ids for word in expression.split()) for expression in expressions):
            raise Unusable(f"{path}: hazards.{term}: the vocabulary can spell none of {', '.join(expressions)}")
