"""What looking closer at people gains and costs, with limits for crops chosen on the same pictures.

    python -m bench.accuracy.crops --bundle models/wordcam-1 --hazards hazards_val.json \\
        --peaceful captions_val.json [--write]

A danger's limit is the least evidence in a crop that alarms at most a `--budget` of the peaceful pictures on top. A
danger that gains nothing at that price gets none: it is not looked for in crops. `--write` puts the limits into the
bundle's manifest; without it they are tried on a copy. Alarms are counted by the real programs, as
`bench.accuracy.alarms` does.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.accuracy import alarms, crop_survey
from bench.accuracy.alarms import BUNDLE, RIGHT, RULES, Count
from bench.accuracy.crop_survey import Limit, Price
from bench.device import commands
from contract import bundle
from contract.bundle import Manifest
from contract.errors import Refused
from edge import config
from edge.errors import Misconfigured
from edge.infer.captioner import Captioner
from edge.infer.runtime import NoRuntime, NotAModel
from foundation import yaml_file

SOUGHT: Final[tuple[str, ...]] = ("gun", "weapon", "fight", "falling", "fallen")
"""Dangers of people, which crops around people can show."""


class Report(msgspec.Struct, frozen=True):
    """All that was measured."""

    settings: config.Crops
    """How closer looks were taken."""
    limits: dict[str, Limit]
    """What crops tell of each danger, by the model's evidence alone."""
    price: Price
    """What closer looks cost."""
    without: dict[str, Count]
    """Alarms by label when whole frames alone are looked at."""
    with_crops: dict[str, Count]
    """Alarms by label when people are looked at closer too."""


def measure(options: argparse.Namespace) -> Report:
    """Choose the limits, count the alarms with and without, and take the time; raises what can go wrong."""
    settings = yaml_file.assigned("--crops", options.crops, config.Crops)
    scenes = alarms.scenes(options.hazards, options.peaceful)
    captioner = Captioner.open(options.bundle)
    manifest = captioner.manifest
    sought = [term for term in SOUGHT if term in manifest.evidence]
    sights = [
        crop_survey.look(captioner, scene.file, scene.label, sought, settings)
        for scene in track(scenes, "weighing", console=alarms.progress())
    ]
    limits = {term: crop_survey.choose(sights, term, manifest.evidence[term], options.budget) for term in sought}
    chosen = {term: found.limit for term, found in limits.items() if found.limit is not None}
    with tempfile.TemporaryDirectory(prefix="wordcam-bench-") as name:
        copy = _with(options.bundle, manifest, chosen, Path(name) / "bundle")
        price = crop_survey.price(Captioner.open(copy), [scene.file for scene in scenes], settings)
        looking, _ = alarms.look(copy, options.rules, scenes, options.crops)
        without, _ = alarms.look(copy, options.rules, scenes, [*options.crops, "per_frame=0"])
    if options.write:
        bundle.write(options.bundle, replace(manifest, crop_evidence=chosen))
    return Report(settings, limits, price, without, looking)


def _with(folder: Path, manifest: Manifest, limits: dict[str, float], copy: Path) -> Path:
    """Copy a bundle, with these limits for crops."""
    shutil.copytree(folder, copy)
    bundle.write(copy, replace(manifest, crop_evidence=limits))
    return copy


def show(report: Report, console: Console) -> None:
    """Print the report for people to read."""
    console.print(_limits(report.limits))
    console.print(_alarms(report.without, report.with_crops))
    price, settings = report.price, ", ".join(f"{k} {v}" for k, v in msgspec.to_builtins(report.settings).items())
    console.print(
        f"A frame takes {price.all:.2f} times as long on average, and {price.looked:.2f} times where it was looked at "
        f"closer: {price.share:.0%} of {price.pictures} pictures, {price.crops:.1f} crops each ({settings})."
    )


def _limits(limits: Mapping[str, Limit]) -> Table:
    table = Table(title="Evidence in crops", title_justify="left", title_style="bold")
    for column in ("danger", "limit in frames", "limit in crops", "frames find", "crops add", "false alarms added"):
        table.add_column(column, justify="left" if column == "danger" else "right")
    for term, found in limits.items():
        limit = "not sought" if found.limit is None else f"{found.limit:.3f}"
        rates = (f"{share:.1%}" for share in (found.by_frames, found.added, found.false))
        table.add_row(term, f"{found.frame_limit:.3f}", limit, *rates)
    return table


def _alarms(without: Mapping[str, Count], looking: Mapping[str, Count]) -> Table:
    table = Table(title="Alarms by what is on the picture", title_justify="left", title_style="bold")
    for column in (
        "label",
        "pictures",
        "frames alone",
        "looking closer",
        "right, frames alone",
        "right, looking closer",
    ):
        table.add_column(column, justify="left" if column == "label" else "right")
    for label, before in without.items():
        shares = [f"{found.alarmed / found.pictures:.1%}" for found in (before, looking[label])]
        right = [f"{(found.right or 0) / found.pictures:.1%}" for found in (before, looking[label])]
        table.add_row(label, str(before.pictures), *shares, *(right if label in RIGHT else ("", "")))
    return table


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; give 0, or 78 for bad input."""
    options = _options(argv)
    try:
        report = measure(options)
    except (Refused, Misconfigured, NotAModel, NoRuntime, ValueError, OSError, commands.Failed) as error:
        print(f"bench.accuracy.crops: {error}", file=sys.stderr)
        return 78
    if options.json:
        print(json.dumps(msgspec.to_builtins(report)))
    else:
        show(report, Console())
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser: Any = argparse.ArgumentParser(
        prog="python -m bench.accuracy.crops", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--bundle", type=Path, default=BUNDLE, metavar="DIR", help="bundle of the device")
    parser.add_argument("--hazards", type=Path, required=True, metavar="FILE", help="list of {file, label}")
    parser.add_argument("--peaceful", type=Path, metavar="FILE", help="COCO captions of everyday pictures")
    parser.add_argument("--rules", type=Path, default=RULES, metavar="FILE", help="rules of the server")
    parser.add_argument(
        "--budget", type=float, default=0.005, metavar="SHARE", help="false alarms a danger may add (%(default)s)"
    )
    parser.add_argument("--crops", action="append", default=[], metavar="KEY=VALUE", help="change a key: per_frame=4")
    parser.add_argument("--write", action="store_true", help="put the limits into the bundle's manifest")
    parser.add_argument("--json", action="store_true", help="one JSON object in place of tables")
    found: argparse.Namespace = parser.parse_args(argv)
    return found


if __name__ == "__main__":
    sys.exit(main())
