"""From an export to the two bundles that are compared: the float32 models, and the int8 ones that ship."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from contract import bundle, vocabulary
from converter import terminal
from converter.config import Runtime
from converter.errors import Unusable
from converter.tflite import quantize, saved_model_export, weight_sharing
from converter.tflite.saved_model_export import Export
from edge.infer import image, runtime, self_test
from edge.infer.captioner import Captioner

QUANTIZATION: Final[Mapping[bundle.Role, str]] = {
    "encoder": "int8",
    "detector": "int8",
    "decoder_init": "dynamic-range int8",
    "decoder_step": "dynamic-range int8",
}
"""How each model of a shipped bundle stores its numbers."""

CARD: Final = "card.md"
NO_CARD_YET: Final = "# Not measured yet\n"


@dataclass(frozen=True, slots=True)
class Frozen:
    """An export with constants for variables and fixed shapes, converted to float32 already."""

    export: Export
    models: Mapping[bundle.Role, Path]
    """Frozen SavedModels."""
    float32: Path
    """A bundle of the float32 models, to compare with and to calibrate on."""

    @classmethod
    def make(cls, source: Export, work: Path) -> Self:
        """Freeze every model into the folder `work`; raises `Unusable` where one model does not fit the next."""
        float32 = work / "float32"
        float32.mkdir()
        frozen: dict[bundle.Role, Path] = {}
        shapes = _first_shapes(source)
        for role, saved_model in source.models.items():
            frozen[role] = quantize.freeze(saved_model, shapes, work / "frozen" / role)
            path = float32 / f"{role}.tflite"
            path.write_bytes(quantize.float32(frozen[role]))
            shapes |= {name: tensor.shape for name, tensor in runtime.load(path).outputs.items()}
            if role == "decoder_init":  # one state for the picture becomes one for each hypothesis
                shapes["state"] = (*shapes["tokens"], *shapes["state"][1:])
        _check_words(source, shapes)
        _check_phrases(source, shapes)
        _write(source, float32, dict.fromkeys(frozen, "float32"), metrics={})
        return cls(source, frozen, float32)


def quantized(frozen: Frozen, pictures: Sequence[Path], folder: Path, target: Runtime = "litert") -> None:
    """Write the bundle that ships into `folder`, calibrated on these pictures, with a card still to be written.

    Raises `Unusable` where the encoder's input would not be raw pixels, `pixels.Unreadable` for a broken picture.
    """
    seen = Captioner.open(frozen.float32)
    size = frozen.export.description.input

    def images() -> Iterator[dict[str, NDArray[Any]]]:
        for path in terminal.track(pictures, "calibrating the encoder"):
            rgb = image.fit(image.read(path), size.height, size.width)
            yield {"image": quantize.pin_pixel_range(rgb[np.newaxis].astype(np.float32))}

    def features() -> Iterator[dict[str, NDArray[Any]]]:
        wanted = runtime.load(frozen.float32 / "detector.tflite").inputs
        for path in terminal.track(pictures, "calibrating the detector"):
            found = seen.encode(image.read(path))
            known = {"c3": found.c3, "c4": found.c4, "cells": found.cells}
            yield {name: known[name] for name in wanted}

    for role, saved in frozen.models.items():
        if role == "encoder":
            model = quantize.full_int8(saved, images, uint8_input=True)
        elif role == "detector":
            model = quantize.full_int8(saved, features)
        else:
            model = quantize.dynamic_range(saved, scale_per_output=target == "litert")
            model = weight_sharing.share_tables(model)
        (folder / f"{role}.tflite").write_bytes(model)
    _write(frozen.export, folder, {role: QUANTIZATION[role] for role in frozen.models}, metrics={})


def finish(source: Export, folder: Path, card: str, metrics: dict[str, dict[str, float]]) -> bundle.Manifest:
    """Put card, measured figures and answers of the self-test into a quantized bundle; raises `Unusable`."""
    (folder / CARD).write_text(card, encoding="utf-8")
    _write(source, folder, {role: QUANTIZATION[role] for role in source.models}, metrics=metrics)
    return with_self_test(folder)


def with_self_test(folder: Path) -> bundle.Manifest:
    """Write what a bundle answers to the drawn pictures of the self-test into its manifest; raises `Unusable`."""
    try:
        return self_test.write(folder)
    except self_test.SelfTestFailed as error:
        raise Unusable(f"{folder}: fails its self-test: {error}") from error


def _write(
    source: Export, folder: Path, models: Mapping[bundle.Role, str], *, metrics: dict[str, dict[str, float]]
) -> bundle.Manifest:
    """Write vocabulary and manifest beside the models, and a card where there is none."""
    (folder / saved_model_export.VOCABULARY).write_text(vocabulary.dump(source.vocabulary), encoding="utf-8")
    if not (folder / CARD).exists():
        (folder / CARD).write_text(NO_CARD_YET, encoding="utf-8")
    files = {role: bundle.describe(folder / f"{role}.tflite", kind) for role, kind in models.items()}
    files["vocabulary"] = bundle.describe(folder / saved_model_export.VOCABULARY)
    if source.phrases is not None:
        (folder / saved_model_export.PHRASES).write_text(source.phrases, encoding="utf-8")
        files["phrases"] = bundle.describe(folder / saved_model_export.PHRASES)
    files["card"] = bundle.describe(folder / CARD)
    about = source.description
    manifest = bundle.Manifest(
        format=bundle.FORMAT,
        name=about.name,
        version=about.version,
        created_at=datetime.now(UTC).replace(microsecond=0),
        language=about.language,
        input=about.input,
        files=files,
        decoding=about.decoding,
        detection=about.detection,
        hazards=about.hazards,
        evidence=about.evidence,
        licences=about.licences,
        metrics=metrics,
    )
    bundle.write(folder, manifest)
    return bundle.load(folder)


def _first_shapes(source: Export) -> dict[str, tuple[int, ...]]:
    """Shapes that are known before any model is: the picture, and one token for each hypothesis."""
    size = source.description.input
    return {"image": (1, size.height, size.width, 3), "tokens": (source.description.decoding.beam_width,)}


def _check_words(source: Export, shapes: Mapping[str, tuple[int, ...]]) -> None:
    words, known = shapes["log_probs"][-1], len(source.vocabulary)
    if words != known:
        path = source.folder / saved_model_export.VOCABULARY
        raise Unusable(f"{path}: holds {known} words, the decoder speaks {words}; run `wordcam-train export` again")


def _check_phrases(source: Export, shapes: Mapping[str, tuple[int, ...]]) -> None:
    known = source.phrases.count("\n") if source.phrases is not None else 0
    expected = shapes["expected"][-1] if "expected" in shapes else 0
    if known != expected:
        path = source.folder / saved_model_export.PHRASES
        raise Unusable(
            f"{path}: holds {known} phrases, the decoder expects {expected}; run `wordcam-train export` again"
        )
