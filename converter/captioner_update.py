"""Puts a captioner that was trained for a bundle's encoder into that bundle, and leaves all else as it is."""

import re
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract import bundle, phrases, vocabulary, wire
from contract.bundle import Decoding, Manifest, Things
from converter.config import Runtime
from converter.errors import Unusable
from converter.tflite import bundle_builder, quantize, saved_model_export, weight_sharing
from edge.infer import runtime

FILE: Final = "captions.json"

MODELS: Final[tuple[bundle.Role, ...]] = ("decoder_init", "decoder_step")


class Description(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`captions.json`, as `wordcam-train captions` writes it."""

    version: Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+" + wire.END)]
    language: str
    encoder: str
    """Digest of the encoder that it was trained for."""
    things: dict[str, bundle.Thing]
    licences: tuple[bundle.Licence, ...]
    data: tuple[str, ...]
    commands: tuple[str, ...]


def update(  # noqa: PLR0913  # what may differ from one bundle to the next
    export: Path,
    folder: Path,
    now: datetime,
    *,
    megabytes: float,
    target: Runtime = "litert",
    beam_width: int | None = None,
) -> Manifest:
    """Replace decoder, vocabulary, phrases and things of a bundle; the folder changes whole or not at all.

    Its beam is as wide as it was, or `beam_width`.

    Raises `Unusable` where the export was made for another encoder, cannot name one of the bundle's dangers, or makes
    the bundle larger than `megabytes` (10^6 bytes); `contract.errors.Refused` for a broken bundle.
    """
    before = _of_width(bundle.load(folder), beam_width)
    about = _describe(export / FILE)
    _check(export, about, before, folder)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.resolve().parent) as scratch:
        ready = Path(scratch) / "bundle"
        shutil.copytree(folder, ready)
        _quantize(export, ready, before, Path(scratch) / "frozen", target)
        for name in (saved_model_export.VOCABULARY, saved_model_export.PHRASES):
            shutil.copyfile(export / name, ready / name)
        _write(ready, before, about, now)
        manifest = bundle_builder.with_self_test(ready)
        size = sum(path.stat().st_size for path in ready.iterdir()) / 1e6
        if size > megabytes:
            raise Unusable(f"{export}: the bundle would be {size:.2f} MB, {megabytes:g} at most; fit fewer phrases")
        for path in ready.iterdir():
            path.replace(folder / path.name)
    return manifest


def _of_width(manifest: Manifest, beam_width: int | None) -> Manifest:
    if beam_width is None:
        return manifest
    try:
        decoding = msgspec.convert({**msgspec.to_builtins(manifest.decoding), "beam_width": beam_width}, Decoding)
    except msgspec.ValidationError as error:
        raise Unusable(f"--beam-width {beam_width}: {error}") from error
    return msgspec.structs.replace(manifest, decoding=decoding)


def _describe(path: Path) -> Description:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Description)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}; it is what `wordcam-train captions` writes") from error
    except msgspec.DecodeError as error:
        raise Unusable(f"{path}: {error}") from error


def _check(export: Path, about: Description, before: Manifest, folder: Path) -> None:
    if about.encoder != before.files["encoder"].sha256:
        raise Unusable(f"{export}: was trained for another encoder than that of {folder}; train it for this bundle")
    if about.language != before.language:
        raise Unusable(f"{export}: writes {about.language!r}, {folder} {before.language!r}")
    words = vocabulary.load(export / saved_model_export.VOCABULARY)
    for term, expressions in before.hazards.items():
        if not any(all(word in words.ids for word in expression.split()) for expression in expressions):
            raise Unusable(f"{export}: cannot spell any of {', '.join(expressions)}, by which {folder} names {term}")
    phrases.load(export / saved_model_export.PHRASES, words)


def _quantize(export: Path, ready: Path, before: Manifest, work: Path, target: Runtime) -> None:
    """Convert both parts of the decoder with the shapes that the device uses."""
    encoder = runtime.load(ready / before.files["encoder"].name)
    width = before.decoding.beam_width
    shapes = {"cells": encoder.outputs["cells"].shape, "tokens": (width,)}
    for role in MODELS:
        frozen = quantize.freeze(export / role, shapes, work / role)
        model = weight_sharing.share_tables(quantize.dynamic_range(frozen, scale_per_output=target == "litert"))
        path = ready / before.files[role].name
        path.write_bytes(model)
        shapes |= {name: tensor.shape for name, tensor in runtime.load(path).outputs.items()}
        shapes["state"] = (width, *shapes["state"][1:])


def _write(ready: Path, before: Manifest, about: Description, now: datetime) -> None:
    card = ready / before.files["card"].name
    card.write_text(_card(card.read_text(encoding="utf-8"), before, about), encoding="utf-8")
    files = dict(before.files)
    for role in MODELS:
        files[role] = bundle.describe(ready / files[role].name, bundle_builder.QUANTIZATION[role])
    files["vocabulary"] = bundle.describe(ready / saved_model_export.VOCABULARY)
    files["phrases"] = bundle.describe(ready / saved_model_export.PHRASES)
    files["card"] = bundle.describe(card)
    weights = before.things or Things(named={})
    new = [one for one in about.licences if one not in before.licences]
    manifest = msgspec.structs.replace(
        before,
        version=about.version,
        created_at=now.replace(microsecond=0),
        files=files,
        things=msgspec.structs.replace(weights, named=about.things) if about.things else msgspec.UNSET,
        licences=(*before.licences, *new),
    )
    bundle.write(ready, manifest)


def _card(text: str, before: Manifest, about: Description) -> str:
    """Return the card with the new version, what the captioner learnt from, and the commands."""
    text = re.sub(r"\A# .*", f"# {before.name} {about.version}", text)
    text = re.sub(r"with a beam of \d+", f"with a beam of {before.decoding.beam_width}", text)
    learnt = "\n".join(f"- captioner: {line}" for line in about.data if line not in text)
    text = re.sub(r"^- captioner: .*\n", "", text, flags=re.MULTILINE)
    text = text.replace("\n\n## Terms", f"\n{learnt}\n\n## Terms", 1) if learnt else text
    made = [command for command in about.commands if command not in text]
    start, fence, end = text.rpartition("\n```\n")
    return "\n".join([start, *made]) + fence + end if fence and made else text
