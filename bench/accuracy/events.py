"""Which films raise an alarm, how soon, and how many texts calm ones cause: through the device's and server's own code.

    python -m bench.accuracy.events --bundle models/wordcam-1 --clips clips.json [--json]

`clips.json` is a list of {file, label}; files are relative to it. Each film is a fresh camera, watched by the device's
own loop (gate, evidence, memory) and judged by the server's own rules and incidents, on the film's clock. A label is a
danger of `bench.accuracy.alarms`; on any other, every alarm is false.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.accuracy.alarms import BUNDLE, RIGHT, RULES, Scene, progress
from bench.accuracy.film_device import BEGIN, FilmDevice
from bench.accuracy.film_server import Alarm, FilmServer
from edge import service
from foundation.errors import Failure


class Seconds(msgspec.Struct, frozen=True):
    """Seconds from the beginning of a film to its first right alarm, over those that have one."""

    p50: float | None
    p95: float | None


class Danger(msgspec.Struct, frozen=True):
    """What became of the films of one danger."""

    clips: int
    """How many there are."""
    alarmed: int
    """How many raised any alarm."""
    right: int
    """How many raised an alarm of their own danger."""
    seconds_to_alarm: Seconds
    """How soon."""


class Calm(msgspec.Struct, frozen=True):
    """What became of the films of one label on which every alarm is false."""

    clips: int
    """How many there are."""
    alarmed: int
    """How many raised any alarm."""
    hours: float
    """How long they last together."""
    texts: int
    """Messages to one guard."""


class Outcome(msgspec.Struct, frozen=True):
    """One film and all that came of it."""

    file: str
    label: str
    seconds: float
    captions: int
    texts: int
    alarms: tuple[tuple[str, float], ...]
    """Rules that fired, each with the seconds from the film's beginning to its first time."""


@dataclass(frozen=True, slots=True)
class FilmPath:
    """The way from a film to its alarms."""

    device: FilmDevice
    server: FilmServer

    def outcome(self, film: Path, label: str) -> Outcome:
        """Watch a film by a fresh camera; raises `Failure` where it cannot be played."""
        with tempfile.TemporaryDirectory(prefix="wordcam-film-") as folder:
            watched = self.device.watch(self.device.open([film]), Path(folder))
        heard = self.server.hear(watched.captions, BEGIN + timedelta(seconds=watched.seconds))
        return Outcome(
            file=str(film),
            label=label,
            seconds=round(watched.seconds, 3),
            captions=len(watched.captions),
            texts=heard.texts,
            alarms=tuple(_first(heard.alarms)),
        )


def clips(file: Path) -> list[tuple[Path, str]]:
    """Read a list of films as (film, label); raises `ValueError` naming what is wrong."""
    try:
        listed = msgspec.json.decode(file.read_bytes(), type=tuple[Scene, ...])
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: {error}") from error
    found = [(file.parent / scene.file, scene.label) for scene in listed]
    if not found:
        raise ValueError(f"{file}: no clips; it is a list of {{file, label}}")
    missing = [path for path, _ in found if not path.exists()]
    if missing:
        raise ValueError(f"{len(missing)} of {len(found)} clips are missing, {missing[0]} first")
    return found


def watch(bundle: Path, rules: Path, films: Sequence[tuple[Path, str]], threads: int = 1) -> Iterator[Outcome]:
    """Watch every film; raises `Failure`."""
    device = FilmDevice(service.open_captioner(bundle, threads))
    with tempfile.TemporaryDirectory(prefix="wordcam-server-") as folder:
        path = FilmPath(device, FilmServer(rules, Path(folder)))
        for film, label in films:
            yield path.outcome(film, label)


def count(outcomes: Iterable[Outcome]) -> dict[str, Danger | Calm]:
    """Count by label, dangers first."""
    by_label: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_label.setdefault(outcome.label, []).append(outcome)
    order = [*(label for label in RIGHT if label in by_label), *sorted(by_label.keys() - RIGHT.keys())]
    return {label: _danger(label, by_label[label]) if label in RIGHT else _calm(by_label[label]) for label in order}


def _danger(label: str, found: Sequence[Outcome]) -> Danger:
    right = [min(at) for at in ([at for rule, at in one.alarms if rule in RIGHT[label]] for one in found) if at]
    return Danger(
        clips=len(found),
        alarmed=sum(bool(one.alarms) for one in found),
        right=len(right),
        seconds_to_alarm=Seconds(_quantile(right, 0.5), _quantile(right, 0.95)),
    )


def _calm(found: Sequence[Outcome]) -> Calm:
    return Calm(
        clips=len(found),
        alarmed=sum(bool(one.alarms) for one in found),
        hours=round(math.fsum(one.seconds for one in found) / 3600, 5),
        texts=sum(one.texts for one in found),
    )


def _quantile(values: Sequence[float], share: float) -> float | None:
    """Nearest rank; None of none."""
    ordered = sorted(values)
    return round(ordered[math.ceil(share * len(ordered)) - 1], 3) if ordered else None


def _first(alarms: Iterable[Alarm]) -> Iterator[tuple[str, float]]:
    """Yield each rule with the seconds to its first time."""
    known: set[str] = set()
    for alarm in alarms:
        if alarm.rule not in known:
            known.add(alarm.rule)
            yield alarm.rule, round((alarm.at - BEGIN).total_seconds(), 3)


def table(counts: dict[str, Danger | Calm]) -> Table:
    """Show the counts."""
    shown = Table(title="Alarms by what is on the film", title_justify="left", title_style="bold")
    for column in ("label", "clips", "alarmed", "right", "seconds to alarm, p50 / p95", "hours", "texts"):
        shown.add_column(column, justify="left" if column == "label" else "right")
    for label, found in counts.items():
        if isinstance(found, Danger):
            soon = found.seconds_to_alarm
            seconds = "" if soon.p50 is None else f"{soon.p50:.1f} / {soon.p95:.1f}"
            row = [f"{found.right} ({found.right / found.clips:.0%})", seconds, "", ""]
        else:
            row = ["every alarm is false", "", f"{found.hours:.3f}", str(found.texts)]
        shown.add_row(label, str(found.clips), f"{found.alarmed} ({found.alarmed / found.clips:.0%})", *row)
    return shown


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; give 0, or 78 for bad input."""
    options = _options(argv)
    try:
        films = clips(options.clips)
        watched = watch(options.bundle, options.rules, films, options.threads)
        outcomes = list(track(watched, "watching", len(films), console=progress()))
        _keep(options.detail, outcomes)
    except (ValueError, OSError, Failure) as error:
        print(f"bench.accuracy.events: {error}", file=sys.stderr)
        return 78
    counts = count(outcomes)
    if options.json:
        print(json.dumps({"labels": msgspec.to_builtins(counts)}))
    else:
        Console().print(table(counts))
    return 0


def _keep(detail: Path | None, outcomes: Sequence[Outcome]) -> None:
    if detail is not None:
        detail.write_bytes(b"".join(msgspec.json.encode(outcome) + b"\n" for outcome in outcomes))


def _options(argv: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(
        prog="python -m bench.accuracy.events", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--bundle", type=Path, default=BUNDLE, metavar="DIR", help="bundle of the device")
    parser.add_argument("--clips", type=Path, required=True, metavar="FILE", help="list of {file, label}")
    parser.add_argument("--rules", type=Path, default=RULES, metavar="FILE", help="rules of the server")
    parser.add_argument("--detail", type=Path, metavar="FILE", help="write every film and its alarms as JSON lines")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="processor cores to use (1)")
    parser.add_argument("--json", action="store_true", help="one JSON object in place of a table")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
