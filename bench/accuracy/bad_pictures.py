"""How many calm pictures raise an alarm by day, in the dark, in amplified noise, by infrared and out of focus.

    python -m bench.accuracy.bad_pictures --bundle models/wordcam-1 --peaceful captions.json [--pictures 40] [--json]

A seeded sample of a caption file's pictures, or of the calm ones of a list of hazards (`--hazards`), is rendered as bad
cameras show it, and captioned and judged by the device's and the server's own programs. Every alarm is false.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import cv2
import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.accuracy import alarms
from bench.accuracy.alarms import BUNDLE, RULES, Count, Picture
from bench.accuracy.shares import upper_bound
from bench.device import commands
from bench.fixtures import weather
from bench.fixtures.weather import Frame, Weather
from edge.infer import image
from foundation.errors import Failure

PICTURES: Final = 40

BLUR: Final = 4.0
"""Standard deviation of what is out of focus, in pixels of a picture whose shorter side has 256."""

SECONDS_APART: Final = 1.0
"""Time between two pictures, so that each has noise of its own."""


def blur(bgr: Frame, seconds: float) -> Frame:  # noqa: ARG001  # as every weather
    """A lens out of focus."""
    return np.asarray(cv2.GaussianBlur(bgr, (0, 0), BLUR * min(bgr.shape[:2]) / 256), np.uint8)


KINDS: Final[Mapping[str, Weather]] = {
    "day": weather.day,
    "dark": weather.night,
    "gain": weather.gain,
    "infrared": weather.infrared,
    "blur": blur,
}
"""By name; the noise, the light and the lamp are those of `bench.fixtures.weather`."""


def sample(found: Sequence[Picture], pictures: int, seed: int) -> list[Picture]:
    """Draw so many calm pictures; raises `ValueError` where there are fewer."""
    calm = [one for one in found if one.calm]
    if len(calm) < pictures:
        raise ValueError(f"{len(calm)} calm pictures, where {pictures} are asked for")
    return Random(seed).sample(calm, pictures)


def render(chosen: Sequence[Picture], folder: Path) -> list[Picture]:
    """Write every picture of every kind, labelled with the kind; raises `Unreadable` for one that is none."""
    rendered = []
    for number, picture in enumerate(chosen):
        bgr = image.read_bgr(picture.file)
        for kind, change in KINDS.items():
            path = folder / f"{kind}-{number:04}.png"
            cv2.imwrite(str(path), change(bgr, number * SECONDS_APART))
            rendered.append(Picture(path, kind))
    return rendered


def table(counts: Mapping[str, Count]) -> Table:
    """Show the counts."""
    shown = Table(title="Calm pictures that raise an alarm", title_justify="left", title_style="bold")
    for column in ("kind", "pictures", "alarmed", "at most (95 %)", "rules"):
        shown.add_column(column, justify="left" if column in {"kind", "rules"} else "right")
    for kind in KINDS:
        found = counts[kind]
        rules = ", ".join(f"{name} {number}" for name, number in found.rules.items())
        most = f"{upper_bound(found.alarmed, found.pictures):.0%}"
        shown.add_row(kind, str(found.pictures), str(found.alarmed), most, rules)
    return shown


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; give 0, or 78 for bad input."""
    options = _options(argv)
    try:
        chosen = sample(alarms.scenes(options.hazards, options.peaceful), options.pictures, options.seed)
        with tempfile.TemporaryDirectory(prefix="wordcam-bad-") as folder:
            counts, _ = alarms.look(options.bundle, options.rules, render(chosen, Path(folder)))
    except (ValueError, OSError, Failure, commands.Failed) as error:
        print(f"bench.accuracy.bad_pictures: {error}", file=sys.stderr)
        return 78
    if options.json:
        print(json.dumps({"kinds": msgspec.to_builtins({kind: counts[kind] for kind in KINDS})}))
    else:
        Console().print(table(counts))
    return 0


def _options(argv: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(
        prog="python -m bench.accuracy.bad_pictures", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--bundle", type=Path, default=BUNDLE, metavar="DIR", help="bundle of the device")
    parser.add_argument("--peaceful", type=Path, metavar="FILE", help="COCO captions of everyday pictures")
    parser.add_argument("--hazards", type=Path, metavar="FILE", help="list of {file, label}: its calm ones")
    parser.add_argument("--pictures", type=int, default=PICTURES, metavar="N", help="of each kind (%(default)d)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the sample (%(default)d)")
    parser.add_argument("--rules", type=Path, default=RULES, metavar="FILE", help="rules of the server")
    parser.add_argument("--json", action="store_true", help="one JSON object in place of a table")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
