"""Films every camera condition by day, dusk, night, in rain, fog and infrared light: `python -m bench.conditions`.

    python -m bench.conditions [--part quoted|choosing|drawn] [--clips 12] [--calm-hours 2] [--threads 2] [--json]

Each film begins calm, and after a minute and a half one thing goes wrong. Calm films have nothing wrong at all: what is
said of them is false. Real clips are repeated, frame by frame in an order drawn by chance, with noise of their own each
second, so that hours of a film are hours of its camera, not of new scenes.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import msgspec
from rich.console import Console
from rich.progress import track

from bench.conditions import watching
from bench.conditions.clips import FOLDERS, Part, Source, sources
from bench.conditions.film import BEGINS, Film
from bench.conditions.light import SETTINGS
from bench.conditions.spoils import SPOILS
from bench.conditions.watching import Said


class Task(NamedTuple):
    """Films of one clip in one light: of everything that goes wrong, or a calm one."""

    source: Source
    weather: str
    faults: tuple[str, ...]
    calm_seconds: int


def films(task: Task) -> list[Said]:
    """Watch the films of one task."""
    cv2.setNumThreads(1)
    clip, setting = task.source.open(), next(one for one in SETTINGS if one.name == task.weather)
    spoils = [spoil for spoil in SPOILS if spoil.name in task.faults]
    said = [watching.watch(Film(clip, setting, spoil), BEGINS + spoil.seconds) for spoil in spoils]
    return [*said, watching.watch(Film(clip, setting), task.calm_seconds)] if task.calm_seconds else said


def tasks(options: argparse.Namespace) -> list[Task]:
    """Return what there is to watch, in an order drawn by chance, so that any part of it is a fair sample."""
    every = sources(Part(options.part), (*FOLDERS, *options.folders))
    spoilt = every[:: max(1, len(every) // options.clips)][: options.clips] if options.clips else []
    lights = [setting for setting in SETTINGS if options.weathers is None or setting.name in options.weathers]
    faults = tuple(options.faults or [spoil.name for spoil in SPOILS])
    calm_seconds = int(options.calm_hours * 3600 / len(every) / len(lights))
    found = [Task(source, light.name, faults, 0) for source in spoilt for light in lights if light.is_steady]
    if calm_seconds:
        found += [Task(source, light.name, (), calm_seconds) for source in every for light in lights]
    random.Random(1).shuffle(found)
    return found


def measure(options: argparse.Namespace) -> Iterator[Said]:
    """Watch all films, and write down what was said of each at once."""
    wanted = tasks(options)
    with ProcessPoolExecutor(options.threads, get_context("spawn")) as pool:
        running = pool.map(films, wanted)
        for found in track(running, "films", len(wanted), console=Console(stderr=True), transient=True):
            if options.keep:
                with options.keep.open("ab") as opened:
                    opened.writelines(msgspec.json.encode(one) + b"\n" for one in found)
            yield from found


def lines(said: Sequence[Said]) -> Iterator[str]:
    """Yield two Markdown tables: what was said of each fault in each light, and of calm film."""
    weathers = [setting.name for setting in SETTINGS if any(one.weather == setting.name and one.fault for one in said)]
    if weathers:
        yield f"| What goes wrong | {' | '.join(weathers)} | said wrongly |"
        yield "|---" * (len(weathers) + 2) + "|"
    for spoil in SPOILS:
        films = [one for one in said if one.fault == spoil.name]
        if films:
            cells = [watching.when([one for one in films if one.weather == name]) for name in weathers]
            yield f"| {spoil.name} | {' | '.join(cells)} | {watching.wrongly(films)} |"
    calm = [one for one in said if not one.fault]
    if calm:
        yield from ("", "| Calm film | clips | hours | false conditions | a week | at most (95 %) |", "|---" * 6 + "|")
        for name in [setting.name for setting in SETTINGS if any(one.weather == setting.name for one in calm)]:
            yield _calm_line(name, [one for one in calm if one.weather == name])
        yield _calm_line("all", calm)


def _calm_line(name: str, calm: Sequence[Said]) -> str:
    found = watching.rate(calm)
    false = f"{found.false} {watching.wrongly(calm)}".strip()
    return f"| {name} | {found.clips} | {found.hours:.1f} | {false} | {found.a_week:.1f} | {found.at_most_a_week:.1f} |"


def as_json(said: Sequence[Said]) -> dict[str, Any]:
    """Return everything that was said, and the rate of false conditions."""
    calm = [one for one in said if not one.fault]
    return {"films": msgspec.to_builtins(said), "calm": asdict(watching.rate(calm)) if calm else None}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, or 78 for bad input."""
    options = _options(argv)
    try:
        said = list(measure(options))
    except ValueError as error:
        print(f"bench.conditions: {error}", file=sys.stderr)
        return 78
    print(json.dumps(as_json(said)) if options.json else "\n".join(lines(said)))
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.conditions", description=(__doc__ or "").partition(":")[0])
    parts = [part.value for part in Part]
    parser.add_argument("--part", choices=parts, default=Part.QUOTED.value, help="clips to film (%(default)s)")
    parser.add_argument("--clips", type=int, default=12, metavar="N", help="clips that go wrong (%(default)s)")
    parser.add_argument("--calm-hours", type=float, default=2.0, metavar="N", help="of all clips (%(default)g)")
    parser.add_argument("--faults", nargs="+", choices=[one.name for one in SPOILS], metavar="NAME", help="all without")
    parser.add_argument(
        "--weathers", nargs="+", choices=[one.name for one in SETTINGS], metavar="NAME", help="all without"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="processor cores to use (%(default)s)")
    parser.add_argument(
        "--folders", nargs="+", type=Path, default=(), metavar="DIR", help="more clips, *.mp4 and vtest.avi"
    )
    parser.add_argument("--keep", type=Path, metavar="FILE", help="add what was said of each film, one JSON a line")
    parser.add_argument("--json", action="store_true", help="one JSON object in place of tables")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
