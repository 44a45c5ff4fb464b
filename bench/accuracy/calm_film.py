"""False texts a camera-day on hours of calm film, by day and in every weather: where nothing happens, all are false.

    python -m bench.accuracy.calm_film --bundle models/wordcam-1 --films films.json --folder runs/calm [--hours 3]

`films.json` is a list of {file, camera}; files are relative to it, those of one camera are played one after the other
and begin again until its time is over. Without `camera` a file is a camera of its own. Every camera is watched in every
weather of `bench.fixtures.weather` by the device's own loop, and judged by the server's own rules and incidents, on the
film's clock. What is measured is written to `--folder` at once, and taken from there when the same is asked again.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.accuracy.alarms import BUNDLE, RULES, progress
from bench.accuracy.film_device import BEGIN, FilmDevice
from bench.accuracy.film_server import FilmServer
from bench.fixtures.weather import WEATHERS
from edge import service
from foundation.errors import Failure

RESULTS: Final = "results.jsonl"

AFTERWARDS: Final = timedelta(minutes=20)
"""Time that passes after a film, so that the text that it is over is counted as well."""

HOURS_A_DAY: Final = 24.0


class Entry(msgspec.Struct, frozen=True):
    """One file of calm film."""

    file: str
    camera: Annotated[str, Meta(min_length=1)] = ""


class Measured(msgspec.Struct, frozen=True):
    """One camera in one weather."""

    bundle: str
    camera: str
    weather: str
    seconds: float
    captions: int
    texts: int
    rules: dict[str, int]
    """Captions on which each rule fired."""


class Weather(msgspec.Struct, frozen=True):
    """All cameras in one weather, or in all of them."""

    cameras: int
    """Cameras watched."""
    alarmed: int
    """Cameras with any alarm."""
    hours: float
    """Time watched."""
    texts: int
    """Messages to one guard, among them that a danger is over."""
    texts_per_camera_day: float
    rules: dict[str, int]
    """Captions on which each rule fired."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured."""

    films: Mapping[str, Sequence[Path]]
    """Files of each camera."""
    weathers: Sequence[str]
    seconds: float
    """Time that each camera is watched in each weather."""


def films(file: Path) -> dict[str, list[Path]]:
    """Read a list of films by camera; raises `ValueError` naming what is wrong."""
    try:
        listed = msgspec.json.decode(file.read_bytes(), type=tuple[Entry, ...])
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: {error}") from error
    found: dict[str, list[Path]] = {}
    for entry in listed:
        found.setdefault(entry.camera or entry.file, []).append(file.parent / entry.file)
    missing = [path for paths in found.values() for path in paths if not path.exists()]
    if missing:
        raise ValueError(f"{len(missing)} of {len(listed)} films are missing, {missing[0]} first")
    if not found:
        raise ValueError(f"{file}: no films; it is a list of {{file, camera}}")
    return found


def measure(bundle: Path, rules: Path, plan: Plan, folder: Path, threads: int = 1) -> Iterator[Measured]:
    """Watch every camera in every weather, as far as `folder` does not know what comes of it; raises `Failure`."""
    folder.mkdir(parents=True, exist_ok=True)
    known = {_key(one): one for one in _known(folder / RESULTS)}
    device = FilmDevice(service.open_captioner(bundle, threads))
    model = device.captioner.manifest.model
    with tempfile.TemporaryDirectory(prefix="wordcam-server-") as name:
        server = FilmServer(rules, Path(name))
        for camera, paths in plan.films.items():
            for weather in plan.weathers:
                found = known.get((model, camera, weather, plan.seconds))
                if found is None:
                    found = _watch(device, server, plan.seconds, camera, paths, weather)
                    _keep(folder / RESULTS, found)
                yield found


def _watch(  # noqa: PLR0913, PLR0917  # what is watched, by whom
    device: FilmDevice, server: FilmServer, seconds: float, camera: str, paths: Sequence[Path], weather: str
) -> Measured:
    with tempfile.TemporaryDirectory(prefix="wordcam-film-") as folder:
        watched = device.watch(device.open(paths, WEATHERS[weather], seconds), Path(folder))
    heard = server.hear(watched.captions, BEGIN + timedelta(seconds=watched.seconds) + AFTERWARDS)
    fired = [alarm.rule for alarm in heard.alarms]
    return Measured(
        bundle=device.captioner.manifest.model,
        camera=camera,
        weather=weather,
        seconds=seconds,
        captions=len(watched.captions),
        texts=heard.texts,
        rules={rule: fired.count(rule) for rule in sorted(set(fired))},
    )


def _key(one: Measured) -> tuple[str, str, str, float]:
    return one.bundle, one.camera, one.weather, one.seconds


def _known(file: Path) -> list[Measured]:
    """Read what was measured; a last line that a stop cut off is measured again."""
    if not file.exists():
        return []
    found = []
    for line in file.read_bytes().splitlines():
        try:
            found.append(msgspec.json.decode(line, type=Measured))
        except msgspec.DecodeError:
            continue
    return found


def _keep(file: Path, found: Measured) -> None:
    cut_off = file.exists() and not file.read_bytes().endswith(b"\n")
    with file.open("ab") as opened:
        opened.write(b"\n" * cut_off + msgspec.json.encode(found) + b"\n")


def summarise(measured: Iterable[Measured]) -> dict[str, Weather]:
    """Sum up by weather, in their order, and over all."""
    every = list(measured)
    names = [name for name in WEATHERS if any(one.weather == name for one in every)]
    by_weather = {name: _sum([one for one in every if one.weather == name]) for name in names}
    return {**by_weather, "all": _sum(every)}


def _sum(measured: Sequence[Measured]) -> Weather:
    hours = math.fsum(one.seconds for one in measured) / 3600
    texts = sum(one.texts for one in measured)
    rules = sorted({rule for one in measured for rule in one.rules})
    return Weather(
        cameras=len({one.camera for one in measured}),
        alarmed=len({one.camera for one in measured if one.rules}),
        hours=round(hours, 3),
        texts=texts,
        texts_per_camera_day=round(texts / hours * HOURS_A_DAY, 2) if hours else 0.0,
        rules={rule: sum(one.rules.get(rule, 0) for one in measured) for rule in rules},
    )


def table(found: Mapping[str, Weather]) -> Table:
    """Show the sums."""
    shown = Table(title="Calm film: every text is false", title_justify="left", title_style="bold")
    for column in ("weather", "cameras", "alarmed", "hours", "texts", "a camera-day", "captions by rule"):
        shown.add_column(column, justify="left" if column in {"weather", "captions by rule"} else "right")
    for name, one in found.items():
        rules = ", ".join(f"{rule} {count}" for rule, count in one.rules.items())
        shown.add_row(
            name,
            str(one.cameras),
            str(one.alarmed),
            f"{one.hours:.2f}",
            str(one.texts),
            f"{one.texts_per_camera_day:.1f}",
            rules,
        )
    return shown


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; give 0, or 78 for bad input."""
    options = _options(argv)
    try:
        found = films(options.films)
        each = round(options.hours * 3600 / (len(found) * len(options.weathers)), 1)
        plan = Plan(found, options.weathers, each)
        running = measure(options.bundle, options.rules, plan, options.folder, options.threads)
        sums = summarise(track(running, "watching", len(found) * len(options.weathers), console=progress()))
    except (ValueError, OSError, Failure) as error:
        print(f"bench.accuracy.calm_film: {error}", file=sys.stderr)
        return 78
    if options.json:
        print(json.dumps({"weathers": msgspec.to_builtins(sums)}))
    else:
        Console().print(table(sums))
    return 0


def _options(argv: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(
        prog="python -m bench.accuracy.calm_film", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--bundle", type=Path, default=BUNDLE, metavar="DIR", help="bundle of the device")
    parser.add_argument("--films", type=Path, required=True, metavar="FILE", help="list of {file, camera}")
    parser.add_argument("--folder", type=Path, required=True, metavar="DIR", help="keeps what was measured")
    parser.add_argument("--hours", type=float, default=3.0, metavar="N", help="of film in all (%(default)g)")
    parser.add_argument(
        "--weathers", nargs="+", choices=list(WEATHERS), default=list(WEATHERS), metavar="NAME", help="all by default"
    )
    parser.add_argument("--rules", type=Path, default=RULES, metavar="FILE", help="rules of the server")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="processor cores to use (1)")
    parser.add_argument("--json", action="store_true", help="one JSON object in place of a table")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
