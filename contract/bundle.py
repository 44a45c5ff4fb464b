"""The model bundle: a folder with everything a device needs to write sentences, and proof that it is whole."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from contract import wire
from contract.errors import Refused

FORMAT: Final = 1
"""Version of the folder's layout and of the tensors' meaning; a reader refuses any other."""

MANIFEST: Final = "manifest.json"

MAX_MANIFEST_BYTES: Final = 1 << 20
"""A manifest is a few KiB; beyond one MiB it is something else."""

Role = Literal[
    "encoder", "detector", "decoder_init", "decoder_step", "hazard_classifier", "vocabulary", "phrases", "card"
]
"""encoder: uint8 RGB [1, H, W, 3] -> float32 `c3` [1, H/8, W/8, A], `c4` [1, H/16, W/16, B], `cells` [1, N, D].
detector: `c3`, `c4`, `cells` -> `boxes` float32 [1, P, 4] (cx, cy, w, h as shares of the frame, 0 to 1) and
`scores` float32 [1, P, C], 0 to 1, over all P points of all levels.
decoder_init: `cells` -> `keys` [1, N, K], `values` [1, N, V], `state` [1, S], `evidence` [1, H], 0 to 1, where the
manifest has it, and `expected` [1, P], where the bundle has `phrases`: the mean normalised CIDEr weight that each of
them would have in what people write of the picture.
decoder_step: `tokens` int32 [B], `state` [B, S], `keys`, `values` -> `log_probs` [B, W], `next_state` [B, S],
`attention` [B, N]. B is the beam width, W the number of words.
hazard_classifier: `cells` -> `evidence` float32 [1, H], 0 to 1, which then replaces that of decoder_init.
vocabulary: text, one word a line. phrases: text, one phrase a line. card: Markdown."""

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}" + wire.END)]
FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*" + wire.END, max_length=80)]
Positive = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the bundle."""

    name: FileName
    """File name inside the folder; no path."""
    sha256: Sha256
    """SHA-256 of its bytes, lower-case hexadecimal."""
    bytes: Annotated[int, Meta(ge=0)]
    """Its size."""
    quantization: str = ""
    """How its numbers are stored: `int8`, `dynamic-range int8`, `float32`; empty for text."""


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The picture the encoder takes: RGB, uint8, the whole frame squashed to this size."""

    height: Positive
    """Rows."""
    width: Positive
    """Columns."""


class Decoding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How sentences are searched for."""

    beam_width: Annotated[int, Meta(ge=1, le=16)] = 3
    """Hypotheses kept at each step."""
    max_tokens: Annotated[int, Meta(ge=1, le=64)] = 24
    """Words after which a sentence is ended."""
    length_penalty: Annotated[float, Meta(ge=0, le=2)] = 0.7
    """Alpha of the length normalisation ((5 + n) / 6) ** alpha (Wu et al. 2016, section 7)."""
    block_trigrams: bool = True
    """Never say the same three words in a row twice (Paulus et al. 2017)."""
    consensus: Annotated[float, Meta(ge=0, le=100)] = 0.0
    """Temperature at which the beam's sentences weigh one another, so that the one most like all of them is said
    (minimum Bayes risk, Kumar and Byrne 2004); 0 says the most probable one."""
    pull: Annotated[float, Meta(ge=0, le=20)] = 0.0
    """Log-probability that each expected phrase adds, times its rarity and what is expected of it. Where the bundle has
    phrases, the sentence with the highest sum of three is said: the CIDEr that it can expect, and these two."""
    agreement_weight: Annotated[float, Meta(ge=0, le=20)] = 0.0
    """What full agreement of the beam is worth beside a CIDEr of 1."""
    confidence_weight: Annotated[float, Meta(ge=0, le=20)] = 0.0
    """What one of mean log-probability is worth beside a CIDEr of 1."""


class Detection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How boxes are read."""

    classes: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Name of each class, in the order of the scores' last axis."""
    score_threshold: Share = 0.3
    """Boxes below are not reported."""
    iou_threshold: Share = 0.6
    """Of two boxes of a class that overlap more than this, the better stays (non-maximum suppression)."""


class OwnCalm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a camera that knows its own calm may lower the threshold of one danger."""

    floor: Share
    """Least threshold, as `evidence` counts; it is in force where the camera's calm stays far below it."""
    quantile: Annotated[float, Meta(ge=0.5, lt=1)] = 0.9995
    """Share of the camera's calm seconds that must lie below the threshold."""


class Thing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that a sentence names only as far as the picture bears it out."""

    words: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Its words, as the vocabulary spells them."""
    also: tuple[str, ...] = ()
    """Further words that speak for it: of a person, those for a man."""
    bias: float
    """Log-odds that somebody would name it where none of these words is expected at all."""
    slope: float
    """What the weights expected of these words, added up, add to the log-odds, each."""


class Things(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a sentence keeps to what the picture bears out."""

    named: dict[str, Thing]
    """Each thing by its name."""
    least: Share = 0.1
    """Probability below which none of a thing's words is said."""
    search: Annotated[float, Meta(ge=0, le=20)] = 2.0
    """What each of its words costs in the search, times the logarithm of its probability."""
    choice: Annotated[float, Meta(ge=0, le=20)] = 0.3
    """The same where one sentence of the beam is chosen, beside a CIDEr of 1."""


class SelfTest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the bundle answered to a drawn picture where it was converted; a device compares before it uses it."""

    cells: Annotated[float, Meta(ge=0)]
    """Mean size of the encoder's `cells`; within a tenth on every machine."""
    evidence: dict[str, Share] = msgspec.field(default_factory=dict)
    """Evidence of each danger."""
    tolerance: Share = 0.2
    """How far the evidence may be from that."""


class MotionHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How movement over the last looks counts for one danger, where people are in view.

    A logistic regression on the logarithms of mean, maximum and deviation, over up to eight pairs of looks, of eight
    features of their optical flow (`edge/look/movement/flow.py`).
    """

    mean: tuple[float, ...]
    """Of each feature."""
    spread: tuple[Annotated[float, Meta(gt=0)], ...]
    """Deviation of each."""
    weights: tuple[float, ...]
    """What a deviation adds to the log-odds."""
    bias: float
    """Log-odds at the mean, danger and calm being as common."""
    most: Annotated[float, Meta(gt=0, le=10)] = 3.0
    """Log-odds that movement adds or takes at most."""


class Motion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What several looks add to the evidence of one picture, in log-odds."""

    flow: dict[str, MotionHead] = msgspec.field(default_factory=dict)
    """Dangers that people's movement speaks for or against."""
    falls: dict[str, Annotated[float, Meta(gt=0, le=10)]] = msgspec.field(default_factory=dict)
    """Log-odds that somebody who stood and does so no more adds to a danger."""


class Licence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Terms of something that went into the model."""

    what: str
    """The data set or the weights."""
    terms: str
    """What its authors allow."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`manifest.json`: what the bundle is, and the digest of every file in it."""

    format: int
    """`1`."""
    name: Annotated[str, Meta(pattern=wire.NAME)]
    """`wordcam-1`."""
    version: Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+" + wire.END)]
    """Semantic version of the model: `1.0.0`."""
    created_at: Annotated[datetime, Meta(tz=True)]
    """When it was converted."""
    language: Annotated[str, Meta(pattern=r"^[a-z]{2,3}" + wire.END)]
    """Language of the sentences; it says how words are joined."""
    input: Input
    """The picture it takes."""
    files: dict[Role, File]
    """Every file, by what it is for; `detector`, `hazard_classifier` and `phrases` alone may be missing. Readers before
    version 0.2 refuse a manifest with a `hazard_classifier`."""
    decoding: Decoding = msgspec.field(default_factory=Decoding)
    """How sentences are searched for."""
    detection: Detection | None = None
    """How boxes are read; absent without a detector."""
    hazards: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Words of each danger, as the vocabulary spells them: `{"gun": ["gun", "pistol"]}`; words of one expression
    are joined by a space. A sentence that holds one of them speaks of the danger."""
    evidence: dict[str, Share] = msgspec.field(default_factory=dict)
    """Least evidence at which a sentence may name each danger, in the order of the `evidence` of `hazard_classifier`,
    or of `decoder_init` where there is none, which is the probability that the picture shows it. Empty where the model
    weighs none."""
    crop_evidence: dict[str, Share] = msgspec.field(default_factory=dict)
    """Least evidence at which a crop around people may name each danger. A danger that is not here is not looked for in
    crops; empty where whole frames alone are looked at."""
    crop_weight: dict[str, Share] | msgspec.UnsetType = msgspec.UNSET
    """Share that the clearest crop around people has in the log-odds of each danger, the frame having the rest. Where a
    frame has no crop, or says far too little for any crop to matter, it alone counts. Absent: crops count by
    `crop_evidence` alone. Readers before version 0.2 refuse a manifest that has it."""
    own_calm: dict[str, OwnCalm] | msgspec.UnsetType = msgspec.UNSET
    """Dangers whose threshold a camera may lower below `evidence` once it knows its own calm. Absent, or a danger that
    is not here: a camera's calm can only raise the threshold. Readers before version 0.2 refuse a manifest that has
    it."""
    things: Things | msgspec.UnsetType = msgspec.UNSET
    """Things that a sentence names only as far as the phrases that are expected of the picture bear them out; a
    sentence about a danger is not held to it. Absent: any word may be said. Readers before version 0.2 refuse a
    manifest that has it."""
    self_test: SelfTest | msgspec.UnsetType = msgspec.UNSET
    """What it answers to a drawn picture. Absent: a device checks only that it answers. Readers before version 0.2
    refuse a manifest that has it."""
    motion: Motion | msgspec.UnsetType = msgspec.UNSET
    """What several looks at people add to the evidence of one. Absent: every picture is judged by itself. Readers
    before version 0.2 refuse a manifest that has it."""
    licences: Annotated[tuple[Licence, ...], Meta(min_length=1)]
    """Terms of the data and weights it was made from."""
    metrics: dict[str, dict[str, float]] = msgspec.field(default_factory=dict)
    """Measured figures, `float` and `int8`: `{"int8": {"bleu_4": 0.2}}`, as fractions."""

    @property
    def model(self) -> str:
        """Name and version as a caption event carries them: `wordcam-1@1.0.0`."""
        return f"{self.name}@{self.version}"

    @property
    def is_research_only(self) -> bool:
        """Whether one of the terms forbids commercial use."""
        return any("non-commercial" in licence.terms.lower() for licence in self.licences)


REQUIRED: Final[tuple[Role, ...]] = ("encoder", "decoder_init", "decoder_step", "vocabulary", "card")


@dataclass(frozen=True, slots=True)
class Contents:
    """A bundle in memory, every file as its digest says: what becomes of the folder does not matter any more."""

    manifest: Manifest
    digest: str
    """SHA-256 of `manifest.json`, and so of all: two bundles with the same digest are the same."""
    data: Mapping[Role, bytes]
    """The bytes of each file."""
    manifest_data: bytes
    """The bytes of `manifest.json`."""


def describe(path: Path, quantization: str = "") -> File:
    """Measure a file for the manifest."""
    return _describe(path.name, path.read_bytes(), quantization)


def _describe(name: str, data: bytes, quantization: str = "") -> File:
    return File(name, hashlib.sha256(data).hexdigest(), len(data), quantization)


def write(folder: Path, manifest: Manifest) -> Path:
    """Write `manifest.json` beside the files it names, and return its path."""
    path = folder / MANIFEST
    path.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    return path


def load(folder: Path) -> Manifest:
    """Read a bundle's manifest and check every file against it; raises what `read` raises."""
    return read(folder).manifest


def read(folder: Path) -> Contents:
    """Read a bundle into memory, and check every file against its manifest.

    Raises `Refused`: "missing-file", "too-large", "not-json" or "schema" for the manifest, "missing-file" or "digest"
    for a file, always naming it.
    """
    path = folder / MANIFEST
    data = _read(path, f"a bundle is a folder with a {MANIFEST}")
    manifest = _parse(path, data)
    _check(path, manifest)
    files = {role: _read_file(folder / file.name, file) for role, file in manifest.files.items()}
    return Contents(manifest, hashlib.sha256(data).hexdigest(), files, data)


def _check(path: Path, manifest: Manifest) -> None:
    if manifest.format != FORMAT:
        raise Refused("schema", f"{path}: bundle format {manifest.format} is not {FORMAT}; convert the model again")
    missing = [role for role in REQUIRED if role not in manifest.files]
    if missing:
        raise Refused("schema", f"{path}: `files` names no {', '.join(missing)}")
    if ("detector" in manifest.files) != (manifest.detection is not None):
        raise Refused("schema", f"{path}: `files.detector` and `detection` come together or not at all")
    unknown = sorted(set(manifest.evidence) - set(manifest.hazards))
    if unknown:
        raise Refused("schema", f"{path}: `evidence` names {unknown[0]!r}, which is not among `hazards`")
    unweighed = sorted(set(manifest.crop_evidence) - set(manifest.evidence))
    if unweighed:
        raise Refused("schema", f"{path}: `crop_evidence` names {unweighed[0]!r}, which is not among `evidence`")
    unweighed = sorted(set(manifest.crop_weight or {}) - set(manifest.evidence))
    if unweighed:
        raise Refused("schema", f"{path}: `crop_weight` names {unweighed[0]!r}, which is not among `evidence`")
    _check_own_calm(path, manifest)
    _check_motion(path, manifest)


def _check_own_calm(path: Path, manifest: Manifest) -> None:
    for term, own in ({} if manifest.own_calm is msgspec.UNSET else manifest.own_calm).items():
        if term not in manifest.evidence:
            raise Refused("schema", f"{path}: `own_calm` names {term!r}, which is not among `evidence`")
        if own.floor > manifest.evidence[term]:
            raise Refused("schema", f"{path}: `own_calm.{term}.floor` {own.floor} is above its `evidence` threshold")


MOTION_FEATURES: Final = 24
"""Numbers that a motion head weighs."""


def _check_motion(path: Path, manifest: Manifest) -> None:
    motion = Motion() if manifest.motion is msgspec.UNSET else manifest.motion
    unweighed = sorted({*motion.flow, *motion.falls} - set(manifest.evidence))
    if unweighed:
        raise Refused("schema", f"{path}: `motion` names {unweighed[0]!r}, which is not among `evidence`")
    for term, head in motion.flow.items():
        sizes = {len(head.mean), len(head.spread), len(head.weights)}
        if sizes != {MOTION_FEATURES}:
            raise Refused("schema", f"{path}: `motion.flow.{term}` weighs {max(sizes)} numbers, not {MOTION_FEATURES}")


def _read(path: Path, remedy: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused("missing-file", f"{path}: {error.strerror}; {remedy}") from error


def _parse(path: Path, data: bytes) -> Manifest:
    if len(data) > MAX_MANIFEST_BYTES:
        raise Refused("too-large", f"{path}: {len(data)} bytes, at most {MAX_MANIFEST_BYTES} are allowed")
    try:
        return msgspec.json.decode(data, type=Manifest)
    except msgspec.ValidationError as error:
        raise Refused("schema", f"{path}: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("not-json", f"{path}: {error}") from error


def _read_file(path: Path, file: File) -> bytes:
    data = _read(path, "copy the bundle again")
    found = _describe(file.name, data)
    if found.sha256 != file.sha256:
        digests = f"SHA-256 is {found.sha256[:12]}…, {MANIFEST} says {file.sha256[:12]}…"
        raise Refused("digest", f"{path}: {digests}; copy the bundle again")
    return data


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the manifest."""
    return msgspec.json.schema(Manifest)
