"""The conversion as a whole: calibrate, quantize, compare, judge, and only then put the bundle in its place."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from contract import bundle
from converter import card
from converter.config import Settings
from converter.errors import Unusable
from converter.evaluation import acceptance, parity, sampling
from converter.evaluation.acceptance import Check
from converter.evaluation.coco import Boxed, Captioned
from converter.evaluation.parity import Report, Trial
from converter.tflite import bundle_builder, saved_model_export
from converter.tflite.saved_model_export import Export


@dataclass(frozen=True, slots=True)
class Request:
    """What a conversion calibrates and compares on, beyond what the export names, and the command that asked for it."""

    images: Path | None = None
    """A folder of calibration images in place of the export's list."""
    captioned: Sequence[Captioned] = ()
    """Validation images with captions."""
    boxed: Boxed | None = None
    """Validation images with boxes."""
    threads: int = 1
    """Threads of inference."""
    command: tuple[str, ...] = ()
    """The command line, for the model card."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a comparison of int8 with float32."""

    report: Report
    checks: Sequence[Check]

    @property
    def kept(self) -> bool:
        """Whether every limit is kept."""
        return all(check.kept for check in self.checks)


def convert(source: Export, out: Path, settings: Settings, request: Request) -> Outcome:
    """Write the bundle of an export to the folder `out`, unless it misses a limit.

    The folder appears whole or not at all; an earlier bundle there is replaced. Raises `Unusable` and the
    errors of inference.
    """
    _refuse_foreign(out)
    chosen = _representative(source, request)
    calibration = sampling.draw(chosen, settings.calibration.pictures, settings.calibration.seed)
    trial = Trial.draw(settings.comparison, request.captioned, request.boxed, chosen)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
        work = Path(scratch)
        ready = work / "bundle"
        ready.mkdir()
        frozen = bundle_builder.Frozen.make(source, work)
        bundle_builder.quantized(frozen, calibration, ready, settings.runtime)
        outcome = _judge(frozen.float32, ready, trial, settings, request.threads)
        if outcome.kept:
            made_by = (*source.description.commands, *request.command)
            about = msgspec.structs.replace(source.description, commands=made_by)
            text = card.render(about, outcome.report, outcome.checks, _sizes(ready))
            bundle_builder.finish(source, ready, text, outcome.report.metrics)
            _put(ready, out, work / "replaced")
    return outcome


def verify(folder: Path, source: Export, settings: Settings, request: Request) -> Outcome:
    """Compare a bundle that exists with its export; leaves no files. Raises as `convert`."""
    bundle.load(folder)
    chosen = _representative(source, request)
    trial = Trial.draw(settings.comparison, request.captioned, request.boxed, chosen)
    with tempfile.TemporaryDirectory(prefix="wordcam-verify-") as scratch:
        frozen = bundle_builder.Frozen.make(source, Path(scratch))
        return _judge(frozen.float32, folder, trial, settings, request.threads)


def _judge(reference: Path, candidate: Path, trial: Trial, settings: Settings, threads: int) -> Outcome:
    report = parity.measure(reference, candidate, trial, threads=threads)
    return Outcome(report, acceptance.judge(report, sum(_sizes(candidate).values()), settings.limits))


def _representative(source: Export, request: Request) -> list[Path]:
    if request.images is not None:
        chosen, where = sampling.inside(request.images), str(request.images)
    else:
        named = source.description.representative.images
        chosen, where = (
            sampling.listed(named, source.folder),
            f"{source.folder / saved_model_export.FILE}: representative.images",
        )
    if not chosen:
        raise Unusable(f"{where}: no pictures to calibrate on; give a folder of them with --images")
    return chosen


def _refuse_foreign(out: Path) -> None:
    """Raise `Unusable` rather than replace a folder that holds something other than a bundle."""
    if out.exists() and not (out / bundle.MANIFEST).is_file():
        raise Unusable(f"{out}: exists and is no bundle; give another --out")


def _put(ready: Path, out: Path, aside: Path) -> None:
    """Move the finished folder into its place; what stood there moves aside and goes with the scratch folder."""
    ready.chmod(0o755)
    if out.exists():
        shutil.move(out, aside)
    ready.rename(out)


def _sizes(folder: Path) -> dict[str, int]:
    return {
        path.stem: path.stat().st_size
        for path in sorted(folder.iterdir())
        if path.name not in {bundle.MANIFEST, bundle_builder.CARD}
    }
