"""Chooses each danger's limit by what the int8 models of a bundle say, where the trainer could only ask the float ones.

    python -m bench.accuracy.thresholds --bundle models/wordcam-1 --hazards hazards_val.json \\
        --peaceful captions_val.json \\
        --write runs/wordcam-1/joint-evidence.weights.json

An export moves each danger's evidence so that its limit becomes one half, by the limits that the run keeps. What the
bundle says is moved back by these, new ones are chosen (`trainer.training.thresholds`), and `--write` puts them where
the next
`wordcam-train export` finds them. Without it, the bundle's evidence is taken as it is and nothing is written.

Limits flatter the pictures that they were chosen on. "Elsewhere" is what to expect of others: each tenth of them by
limits chosen on the other nine (Stone 1974, "Cross-validatory choice and assessment of statistical predictions").
"""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.accuracy import alarms
from bench.accuracy.alarms import BUNDLE
from bench.accuracy.crop_survey import CALM
from contract.errors import Refused
from edge.infer import image
from edge.infer.captioner import Captioner
from edge.infer.runtime import NoRuntime, NotAModel
from trainer.data.example import CaptionExample
from trainer.training import thresholds

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SHARE: Final = 0.02
"""Of the peaceful scenes, that may exceed any danger's limit."""

EVEN: Final = 0.5
"""What a limit becomes in an export."""

FOLDS: Final = 10
"""Parts of the pictures that are each judged by limits chosen without them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One danger's limits, on the scale of the run."""

    before: float
    """That of the run, 0 to 1."""
    after: float
    """The one chosen now, 0 to 1."""
    found: tuple[float, float, float]
    """Share of the danger's pictures whose evidence reaches the one, the other, and one chosen without them, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the choice comes to."""

    dangers: dict[str, Choice]
    """Of each danger."""
    false: dict[str, tuple[float, float, float]]
    """Of each kind of peaceful picture the share that exceeds any limit, by the same three."""


def measure(options: argparse.Namespace) -> Outcome:
    """Weigh every picture and choose.

    Raises `Refused`, `NotAModel`, `NoRuntime` for the bundle, `Unreadable` for a picture, `ValueError` for a list.
    """
    captioner = Captioner.open(options.bundle)
    dangers = list(captioner.manifest.evidence)
    before = _known(options.write, dangers)
    scenes = alarms.scenes(options.hazards, options.peaceful)
    seen = np.array([_weigh(captioner, scene.file) for scene in track(scenes, "weighing", console=alarms.progress())])
    odds = _odds(seen) + np.array([_odds(np.float64(before[danger])) for danger in dangers])
    evidence = 1 / (1 + np.exp(-odds))
    pictures = [CaptionExample(one.file, (), "", "" if one.label == CALM else one.label) for one in scenes]
    chosen = thresholds.choose(evidence.astype(np.float32), pictures, dangers, options.share)
    if options.write is not None:
        options.write.write_bytes(msgspec.json.encode(chosen))
    reached = [
        evidence >= np.array([before[danger] for danger in dangers]),
        evidence >= np.array([chosen[danger] for danger in dangers]),
        elsewhere(evidence, pictures, dangers, options.share),
    ]
    return outcome(reached, pictures, before, chosen)


def elsewhere(evidence: Floats, pictures: Sequence[CaptionExample], dangers: Sequence[str], share: float) -> Bools:
    """Tell which evidence [M, H] reaches a limit that was chosen without its picture.

    The parts are runs of each label's list, where frames of one camera follow one another.
    """
    labels = np.array([picture.label for picture in pictures])
    part = np.zeros(len(labels), int)
    for label in np.unique(labels):
        for number, rows in enumerate(np.array_split(np.flatnonzero(labels == label), FOLDS)):
            part[rows] = number
    reached = np.zeros(evidence.shape, bool)
    for number in range(FOLDS):
        rest = np.flatnonzero(part != number)
        chosen = thresholds.choose(
            evidence[rest].astype(np.float32), [pictures[int(at)] for at in rest], dangers, share
        )
        reached[part == number] = evidence[part == number] >= np.array([chosen[danger] for danger in dangers])
    return reached


def outcome(
    reached: Sequence[Bools],
    pictures: Sequence[CaptionExample],
    before: Mapping[str, float],
    chosen: Mapping[str, float],
) -> Outcome:
    """Count what reaches limits [M, H]: those before, those chosen, and those chosen without each picture."""
    labels, dangers = np.array([picture.label for picture in pictures]), list(chosen)
    judged = [column for column, danger in enumerate(dangers) if danger != thresholds.HARMLESS]
    return Outcome(
        {
            danger: Choice(before[danger], limit, _shares(rows[labels == danger, column] for rows in reached))
            for column, (danger, limit) in enumerate(chosen.items())
        },
        {
            label or CALM: _shares(rows[labels == label][:, judged].any(1) for rows in reached)
            for label in sorted({*labels.tolist()} - {dangers[column] for column in judged})
        },
    )


def _known(path: Path | None, dangers: Sequence[str]) -> dict[str, float]:
    if path is None:
        return dict.fromkeys(dangers, EVEN)
    try:
        known = msgspec.json.decode(path.read_bytes(), type=dict[str, float])
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: not the limits of a run, a number for each danger: {error}") from error
    if list(known) != dangers:
        raise ValueError(f"{path}: limits of {', '.join(known)}; the bundle weighs {', '.join(dangers)}")
    return known


def _weigh(captioner: Captioner, path: Path) -> list[float]:
    return list(captioner.weigh(captioner.encode(image.read(path))).evidence.values())


def _odds(shares: Any) -> Any:
    inside = np.clip(shares, 1e-9, 1 - 1e-9)
    return np.log(inside / (1 - inside))


def _shares(reached: Iterable[Bools]) -> tuple[float, float, float]:
    before, after, other = (float(rows.mean()) if len(rows) else 0.0 for rows in reached)
    return before, after, other


def show(found: Outcome, console: Console) -> None:
    """Print the limits for people to read."""
    table = Table("danger", "limit before", "limit", "found before", "found", "found elsewhere")
    for danger, choice in found.dangers.items():
        shares = (f"{share:.1%}" for share in choice.found)
        table.add_row(danger, f"{choice.before:.6f}", f"{choice.after:.6f}", *shares)
    table.add_section()
    for label, rates in found.false.items():
        table.add_row(f"{label}, any", "", "", *(f"{share:.1%}" for share in rates))
    console.print(table)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; give 0, or 78 for bad input."""
    parser: Any = argparse.ArgumentParser(
        prog="python -m bench.accuracy.thresholds", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--bundle", type=Path, default=BUNDLE, metavar="DIR", help="bundle of the device")
    parser.add_argument("--hazards", type=Path, required=True, metavar="FILE", help="list of {file, label}")
    parser.add_argument("--peaceful", type=Path, metavar="FILE", help="COCO captions of everyday pictures")
    parser.add_argument("--share", type=float, default=SHARE, help="false alarms on peaceful scenes (%(default)s)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="limits of the run, to be replaced")
    try:
        show(measure(parser.parse_args(argv)), Console())
    except (Refused, NotAModel, NoRuntime, ValueError, OSError) as error:
        print(f"bench.accuracy.thresholds: {error}", file=sys.stderr)
        return 78
    return 0


if __name__ == "__main__":
    sys.exit(main())
