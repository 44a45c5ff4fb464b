"""Which pictures raise an alarm: every label's, through the device's and the server's own programs.

    python -m bench.accuracy.alarms --bundle models/wordcam-1 --hazards hazards.json \\
        [--peaceful captions.json] [--roc roc.json]

`hazards.json` is a list of {file, label}; files are relative to it. Other keys are allowed.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.accuracy import roc
from bench.device import commands

ROOT: Final = Path(__file__).resolve().parents[2]
RULES: Final = ROOT / "config" / "rules.yaml"
BUNDLE: Final = ROOT / "models" / "wordcam-1"

CALM: Final = "calm"
"""Label of the pictures of a caption file: everyday life."""

CHUNK: Final = 256
"""Pictures a program is given at once: far below the limit of a command line, far above the cost of its start."""

RIGHT: Final[Mapping[str, frozenset[str]]] = {
    "gun": frozenset({"gun", "weapon"}),
    "weapon": frozenset({"weapon", "gun", "knife-threat", "knife-in-hand"}),
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


class Image(msgspec.Struct, frozen=True):
    """One entry of a caption file's `images`."""

    file_name: str


class Captions(msgspec.Struct, frozen=True):
    """A COCO caption file, of which only the pictures matter here."""

    images: tuple[Image, ...]


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


def hazards(file: Path) -> list[tuple[Path, str]]:
    """Read a list of scenes as (picture, label); raises `ValueError` naming what is wrong."""
    return _there([(file.parent / scene.file, scene.label) for scene in _read(file, tuple[Scene, ...])])


def peaceful(file: Path) -> list[tuple[Path, str]]:
    """Read a caption file's pictures, in `images/` beside it, as (picture, "calm"); raises `ValueError`."""
    return _there([(file.parent / "images" / image.file_name, CALM) for image in _read(file, Captions).images])


def scenes(dangerous: Path | None, everyday: Path | None) -> list[tuple[Path, str]]:
    """Read either or both; raises `ValueError`, also if there are no pictures."""
    found = (hazards(dangerous) if dangerous else []) + (peaceful(everyday) if everyday else [])
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


def _there(scenes: list[tuple[Path, str]]) -> list[tuple[Path, str]]:
    missing = [path for path, _ in scenes if not path.is_file()]
    if missing:
        raise ValueError(f"{len(missing)} of {len(scenes)} pictures are missing, {missing[0]} first")
    return scenes


def count(labels: Sequence[str], outcomes: Sequence[Mapping[str, Any]]) -> dict[str, Count]:
    """Count alarms by label; `outcomes` are the answers of `wordcam-broker rules test --json`, in the same order."""
    fired: dict[str, list[set[str]]] = {}
    for label, outcome in zip(labels, outcomes, strict=True):
        fired.setdefault(label, []).append({found["rule"] for found in outcome["fired"]})
    return {label: _count(label, fired[label]) for label in sorted(fired, key=_order)}


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
    bundle: Path, rules: Path, scenes: Sequence[tuple[Path, str]], crops: Sequence[str] = ()
) -> tuple[dict[str, Count], list[dict[str, Any]]]:
    """Caption and judge every picture; give the counts, and each picture's caption with what it raised.

    `crops` are KEY=VALUE words that change how the device takes crops.
    """
    captions = _said(bundle, [path for path, _ in scenes], crops)
    said = list(track(captions, "captioning", len(scenes), console=progress()))
    outcomes = commands.judged(rules, said)
    labels = [label for _, label in scenes]
    detail = [
        {"label": label, **one, "fired": outcome["fired"]}
        for label, one, outcome in zip(labels, said, outcomes, strict=True)
    ]
    return count(labels, outcomes), detail


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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; give 0, or 78 for bad input."""
    options = _options(argv)
    try:
        counts, detail = look(options.bundle, options.rules, scenes(options.hazards, options.peaceful), options.crops)
        _keep(options, detail)
    except (ValueError, OSError, commands.Failed) as error:
        print(f"bench.accuracy.alarms: {error}", file=sys.stderr)
        return 78
    if options.json:
        print(json.dumps({"labels": msgspec.to_builtins(counts)}))
    else:
        Console().print(table(counts))
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
    parser.add_argument("--json", action="store_true", help="one JSON object in place of a table")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
