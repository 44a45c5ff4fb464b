"""Which pictures raise an alarm: every label's, through the device's and the server's own programs.

    python -m bench.accuracy.alarms --bundle models/wordcam-1 --hazards hazards.json \\
        [--peaceful captions.json] [--roc roc.json]

`hazards.json` is a list of {file, label, source, clip, place, boxes}, of which file and label are needed; files are
relative to it. Other keys are allowed. A knife is a danger where somebody drew it or its source is one of weapons; on
set tables every alarm is false. `--own-calm KEY` takes pictures that share that key for one camera's
(`bench.accuracy.own_calm`).
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.accuracy import own_calm, roc
from bench.accuracy.shares import upper_bound
from bench.device import commands
from contract.errors import Refused
from edge import config
from edge.errors import Misconfigured
from edge.infer.captioner import Captioner
from edge.infer.runtime import NoRuntime, NotAModel
from foundation import yaml_file

ROOT: Final = Path(__file__).resolve().parents[2]
RULES: Final = ROOT / "config" / "rules.yaml"
BUNDLE: Final = ROOT / "models" / "wordcam-1"

CALM: Final = "calm"
"""Label of the pictures of a caption file: everyday life."""

TABLE: Final = "set table"
"""Label of the pictures of knives that lie on tables."""

TABLES: Final = frozenset({"", "coco"})
"""Sources whose knives lie on tables, where none is drawn."""

CHUNK: Final = 256
"""Pictures a program is given at once: far below the limit of a command line, far above the cost of its start."""

RIGHT: Final[Mapping[str, frozenset[str]]] = {
    "gun": frozenset({"gun", "weapon"}),
    "weapon": frozenset({"weapon", "gun", "knife-threat", "knife-in-hand"}),
    "knife": frozenset({"weapon", "gun", "knife-threat", "knife-in-hand"}),
    "fire": frozenset({"fire", "smoke"}),
    "smoke": frozenset({"smoke", "fire"}),
    "fight": frozenset({"fight"}),
    "falling": frozenset({"falling", "fallen"}),
    "fallen": frozenset({"fallen", "falling"}),
}
"""Rules that speak of each danger; on a picture of any other label every alarm is false."""


class Scene(msgspec.Struct, frozen=True):
    """One picture and what is on it."""

    file: str
    label: Annotated[str, Meta(min_length=1)]
    source: str = ""
    clip: str | None = None
    place: str = ""
    boxes: tuple[dict[str, Any], ...] = ()

    @property
    def shown(self) -> str:
        """What counts as on it: a knife that nobody drew, of a source of photographs, lies on a table."""
        return TABLE if self.label == "knife" and not self.boxes and self.source in TABLES else self.label

    def camera(self, key: str) -> str:
        """Return what it shares with the other pictures of its camera."""
        return (self.place or f"{self.source}/{self.clip or ''}") if key == "place" else self.source


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to be judged."""

    file: Path
    label: str
    source: str = ""
    camera: str = ""

    @property
    def calm(self) -> bool:
        """Whether every alarm is false."""
        return self.label not in RIGHT


class Image(msgspec.Struct, frozen=True):
    """One entry of a caption file's `images`."""

    file_name: str


class Captions(msgspec.Struct, frozen=True):
    """A COCO caption file, of which only the pictures matter here."""

    images: tuple[Image, ...]


class CalmCount(msgspec.Struct, frozen=True):
    """What became of the pictures of one source on which every alarm is false."""

    pictures: int
    alarmed: int
    upper: float
    """Share that alarms at most, with 95 % confidence."""


class Count(msgspec.Struct, frozen=True):
    """What became of one label's pictures."""

    pictures: int
    """How many there are."""
    alarmed: int
    """How many raised any alarm."""
    right: int | None
    """How many raised an alarm of their own danger; none where every alarm is false."""
    rules: dict[str, int]
    """How many raised each rule."""


def hazards(file: Path, key: str = "source") -> list[Picture]:
    """Read a list of scenes, of which those that share a key are one camera's; raises `ValueError`."""
    listed = _read(file, tuple[Scene, ...])
    return _there([Picture(file.parent / one.file, one.shown, one.source, one.camera(key)) for one in listed])


def peaceful(file: Path) -> list[Picture]:
    """Read a caption file's pictures, in `images/` beside it, as everyday life; raises `ValueError`."""
    images = _read(file, Captions).images
    return _there([Picture(file.parent / "images" / image.file_name, CALM, CALM, CALM) for image in images])


def scenes(dangerous: Path | None, everyday: Path | None, key: str = "source") -> list[Picture]:
    """Read either or both; raises `ValueError`, also where there is no picture at all."""
    found = (hazards(dangerous, key) if dangerous else []) + (peaceful(everyday) if everyday else [])
    if not found:
        raise ValueError("no pictures; give --hazards, --peaceful or both")
    return found


def _read(file: Path, kind: Any) -> Any:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ValueError(f"{file}: {error}") from error


def _there(scenes: list[Picture]) -> list[Picture]:
    missing = [scene.file for scene in scenes if not scene.file.is_file()]
    if missing:
        raise ValueError(f"{len(missing)} of {len(scenes)} pictures are missing, {missing[0]} first")
    return scenes


def count(labels: Sequence[str], outcomes: Sequence[Mapping[str, Any]]) -> dict[str, Count]:
    """Count alarms by label; `outcomes` are the answers of `wordcam-broker rules test --json`, in the same order."""
    fired: dict[str, list[set[str]]] = {}
    for label, outcome in zip(labels, outcomes, strict=True):
        fired.setdefault(label, []).append({found["rule"] for found in outcome["fired"]})
    return {label: _count(label, fired[label]) for label in sorted(fired, key=_order)}


def count_calm(scenes: Sequence[Picture], outcomes: Sequence[Mapping[str, Any]]) -> dict[str, CalmCount]:
    """Count false alarms by source, the worst by its upper bound first."""
    alarmed: dict[str, list[bool]] = {}
    for scene, outcome in zip(scenes, outcomes, strict=True):
        if scene.calm:
            alarmed.setdefault(scene.source, []).append(bool(outcome["fired"]))
    found = {
        source: CalmCount(len(each), sum(each), upper_bound(sum(each), len(each))) for source, each in alarmed.items()
    }
    return dict(sorted(found.items(), key=lambda one: -one[1].upper))


def _count(label: str, fired: Sequence[set[str]]) -> Count:
    right = RIGHT.get(label)
    names = sorted(set[str]().union(*fired))
    return Count(
        pictures=len(fired),
        alarmed=sum(bool(rules) for rules in fired),
        right=None if right is None else sum(bool(rules & right) for rules in fired),
        rules={name: sum(name in rules for rules in fired) for name in names},
    )


def _order(label: str) -> tuple[bool, int, str]:
    """Dangers first, in the order of `RIGHT`; then what is peaceful, by name."""
    known = list(RIGHT)
    return label not in RIGHT, known.index(label) if label in RIGHT else 0, label


def look(
    bundle: Path, rules: Path, scenes: Sequence[Picture], crops: Sequence[str] = ()
) -> tuple[dict[str, Count], list[dict[str, Any]]]:
    """Caption and judge every picture; give the counts, and each picture's caption with what it raised.

    `crops` are KEY=VALUE words that change how the device takes crops.
    """
    captions = _said(bundle, [scene.file for scene in scenes], crops)
    said = list(track(captions, "captioning", len(scenes), console=progress()))
    return _judged(rules, scenes, said)


def look_knowing_calm(
    bundle: Path, rules: Path, scenes: Sequence[Picture], crops: Sequence[str] = ()
) -> tuple[list[Picture], dict[str, Count], list[dict[str, Any]]]:
    """Do the same with cameras that know their own calm; the first are the pictures that are measured."""
    settings = yaml_file.assigned("--crops", crops, config.Crops)
    captioner = Captioner.open(bundle)
    files, cameras, calm = zip(*((scene.file, scene.camera, scene.calm) for scene in scenes), strict=True)
    captions = own_calm.captions(captioner, files, cameras, calm, settings)
    rows, said = zip(*track(captions, "captioning", len(scenes), console=progress()), strict=True)
    measured = [scenes[row] for row in rows]
    return measured, *_judged(rules, measured, list(said))


def _judged(
    rules: Path, scenes: Sequence[Picture], said: Sequence[dict[str, Any]]
) -> tuple[dict[str, Count], list[dict[str, Any]]]:
    outcomes = commands.judged(rules, said)
    detail = [
        {"label": scene.label, **one, "fired": outcome["fired"]}
        for scene, one, outcome in zip(scenes, said, outcomes, strict=True)
    ]
    return count([scene.label for scene in scenes], outcomes), detail


def _said(bundle: Path, files: Sequence[Path], crops: Sequence[str]) -> Iterable[dict[str, Any]]:
    for start in range(0, len(files), CHUNK):
        yield from commands.captions(bundle, files[start : start + CHUNK], crops)


def progress() -> Console:
    """Return the console that progress bars are shown on: none if standard error is not a terminal."""
    return Console(stderr=True, quiet=not sys.stderr.isatty())


def table(counts: Mapping[str, Count]) -> Table:
    """Show the counts."""
    shown = Table(title="Alarms by what is on the picture", title_justify="left", title_style="bold")
    for column in ("label", "pictures", "alarmed", "share", "right", "rules"):
        shown.add_column(column, justify="left" if column in {"label", "rules"} else "right")
    for label, found in counts.items():
        right = "every alarm is false" if found.right is None else f"{found.right / found.pictures:.1%}"
        rules = ", ".join(f"{name} {number}" for name, number in found.rules.items())
        shown.add_row(
            label, str(found.pictures), str(found.alarmed), f"{found.alarmed / found.pictures:.1%}", right, rules
        )
    return shown


def calm_table(counts: Mapping[str, CalmCount]) -> Table:
    """Show false alarms by source, the worst first."""
    shown = Table(title="False alarms by source", title_justify="left", title_style="bold")
    for column in ("source", "pictures", "alarmed", "share", "at most (95 %)"):
        shown.add_column(column, justify="left" if column == "source" else "right")
    for source, found in counts.items():
        share = f"{found.alarmed / found.pictures:.1%}"
        shown.add_row(source or "-", str(found.pictures), str(found.alarmed), share, f"{found.upper:.1%}")
    return shown


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; give 0, or 78 for bad input."""
    options = _options(argv)
    try:
        judged = scenes(options.hazards, options.peaceful, options.own_calm or "source")
        if options.own_calm:
            judged, counts, detail = look_knowing_calm(options.bundle, options.rules, judged, options.crops)
        else:
            counts, detail = look(options.bundle, options.rules, judged, options.crops)
        _keep(options, detail)
    except (Refused, Misconfigured, NotAModel, NoRuntime, ValueError, OSError, commands.Failed) as error:
        print(f"bench.accuracy.alarms: {error}", file=sys.stderr)
        return 78
    if options.json:
        print(
            json.dumps({"labels": msgspec.to_builtins(counts), "calm": msgspec.to_builtins(count_calm(judged, detail))})
        )
    else:
        Console().print(table(counts))
        Console().print(calm_table(count_calm(judged, detail)))
    return 0


def _keep(options: argparse.Namespace, detail: list[dict[str, Any]]) -> None:
    """Write what was asked for besides the counts; raises `OSError`."""
    if options.roc:
        roc.write(roc.curves(detail, RIGHT), options.roc)
    if options.detail:
        lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in detail)
        options.detail.write_text(lines, encoding="utf-8")


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.accuracy.alarms", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--bundle", type=Path, default=BUNDLE, metavar="DIR", help="bundle of the device")
    parser.add_argument("--hazards", type=Path, metavar="FILE", help="list of {file, label}")
    parser.add_argument("--peaceful", type=Path, metavar="FILE", help="COCO captions of everyday pictures")
    parser.add_argument("--rules", type=Path, default=RULES, metavar="FILE", help="rules of the server")
    parser.add_argument("--detail", type=Path, metavar="FILE", help="write every caption and alarm as JSON lines")
    parser.add_argument("--roc", type=Path, metavar="FILE", help="write every danger's ROC, as .json and drawn as .svg")
    parser.add_argument(
        "--crops",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a key of `crops`: per_frame=0",
    )
    parser.add_argument(
        "--own-calm",
        choices=("source", "place"),
        metavar="KEY",
        help="source or place: pictures that share it are one camera, and half of its calm ones teach it",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object in place of a table")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
