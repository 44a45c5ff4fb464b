"""`python -m bench`: how fast, how lean and how much better than where it came from, as ratios of one run."""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench.accuracy import rule_false_alarms
from bench.accuracy.alarms import BUNDLE, ROOT
from bench.device import commands, frame, yolox
from bench.device.baseline_captioner import STEPS, Seed
from bench.device.efficientnet import EfficientNetB3
from bench.service import console_pages, latency, rule_speed, soak, throughput
from contract.errors import Refused
from edge.infer.runtime import NoRuntime, NotAModel
from testing.errors import ServerUnavailable

CACHE: Final = ROOT / ".cache" / "bench"
"""Where networks stay that take a minute to build."""

PUBLISHED: Final = (416, "silu")
"""YOLOX-Nano as its authors publish it: the side of its picture, and its activation."""

FEW_CAPTIONS: Final = 1000
PAGE_ROUNDS: Final = 9

VARIANTS: Final = (PUBLISHED, (320, "silu"), (416, "relu6"), (320, "relu6"))
"""What ours is timed against; the others show what size and activation do to the time."""


@dataclass(frozen=True, slots=True)
class Line:
    """One figure."""

    subject: str
    """What is measured."""
    value: float
    """What was measured."""
    unit: str
    """Unit of the value; `times` for a ratio."""
    aim: str
    """What it should be, if anything."""
    how: str
    """What it is made of."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure everything; give 0, or 78 for bad input."""
    options = _options(argv)
    try:
        lines = list(_measure(options))
    except (Refused, NotAModel, NoRuntime, ValueError, FileNotFoundError, commands.Failed, ServerUnavailable) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 78
    if options.json:
        print(json.dumps([asdict(line) for line in lines]))
    else:
        Console().print(_table(lines))
    return 0


def _measure(options: argparse.Namespace) -> Iterator[Line]:
    if not options.without_seed:
        yield from against_seed(options.bundle, options.pictures, options.rounds)
    if not options.without_yolox:
        yield from against_yolox(options.bundle, options.pictures, options.rounds)
        yield from against_efficientnet(options.bundle, options.pictures, options.rounds)
    yield from device(commands.device(options.bundle, options.frames, options.pictures))
    if not options.without_server:
        yield from server(options)
    if options.captions:
        yield from false_alarms(options.captions)
        yield from rule_cost(options.captions)


def against_seed(bundle: Path, pictures: Path | None, rounds: int) -> Iterator[Line]:
    """Caption the same pictures by the seed's path and by ours, turn by turn, on one thread each."""
    ours = frame.Frame(bundle, threads=1)
    scenes = frame.scenes(pictures)
    words = max(1, round(sum(ours.caption(scene) for scene in scenes) / len(scenes)))
    try:
        seed = Seed(threads=1)
    except ModuleNotFoundError as error:
        raise ValueError(f"{error.name} is not installed: pip install 'wordcam[trainer]', or --without-seed") from error
    turns = iter(scenes * (3 * rounds + 3))
    long, equal, our = frame.alternate(
        [
            lambda: seed.caption(next(turns), STEPS),
            lambda: seed.caption(next(turns), words),
            lambda: ours.caption(next(turns)),
        ],
        rounds,
    )
    yield Line("the seed's path, as it ran", long / our, "times", "at least 60", _ms(long, our, f"{STEPS} words"))
    yield Line("the seed's path, equal length", equal / our, "times", "", _ms(equal, our, f"{words} words"))


def against_yolox(bundle: Path, pictures: Path | None, rounds: int) -> Iterator[Line]:
    """Find what is in the same pictures by ours and by YOLOX-Nano, turn by turn, on one thread each."""
    ours = frame.Frame(bundle, threads=1)
    if not ours.detects:
        raise ValueError(f"{bundle}: has no detector to time; leave it out by --without-yolox")
    try:
        theirs = [yolox.Yolox(side, activation, CACHE) for side, activation in VARIANTS]
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{error.name} is not installed: pip install 'wordcam[trainer]', or --without-yolox"
        ) from error
    scenes = frame.scenes(pictures)
    looked = itertools.cycle([ours.encode(scene) for scene in scenes])
    turns = [itertools.cycle(scenes) for _ in range(1 + len(theirs))]
    whole, alone, *their = frame.alternate(
        [
            lambda: ours.detect(ours.encode(next(turns[0]))),
            lambda: ours.detect(next(looked)),
            *(partial(_detect, other, turn) for other, turn in zip(theirs, turns[1:], strict=True)),
        ],
        rounds * len(scenes),
        time.thread_time,
    )
    for (side, activation), seconds in zip(VARIANTS, their, strict=True):
        name, published = f"YOLOX-Nano {side}, {activation}", (side, activation) == PUBLISHED
        yield _detector_line("encoder and detector", whole, name, seconds, "at most 0.60" if published else "")
        if published:
            yield _detector_line("detector, on what the captioner sees anyway", alone, name, seconds, "")


def against_efficientnet(bundle: Path, pictures: Path | None, rounds: int) -> Iterator[Line]:
    """Caption the same pictures, with two crops and without, by one run of an int8 EfficientNet-B3, on one thread."""
    ours, theirs = frame.Frame(bundle, threads=1), EfficientNetB3(CACHE)
    scenes = frame.scenes(pictures)
    turns = [itertools.cycle(scenes) for _ in range(3)]
    close, whole, network = frame.alternate(
        [
            lambda: ours.caption_closely(next(turns[0])),
            lambda: ours.caption(next(turns[1])),
            lambda: theirs.classify(next(turns[2])),
        ],
        rounds * len(scenes),
        time.thread_time,
    )
    for what, seconds, aim in (("with two crops", close, "at most 1.00"), ("without crops", whole, "at most 0.60")):
        made = f"{1000 * seconds:.1f} ms by {1000 * network:.1f} ms of processor time"
        yield Line(f"a captioned frame, {what}, by EfficientNet-B3 at 300", seconds / network, "times", aim, made)


def _detector_line(what: str, ours: float, name: str, theirs: float, aim: str) -> Line:
    made = f"{1000 * ours:.1f} ms by {1000 * theirs:.1f} ms of processor time"
    return Line(f"{what} by {name}", ours / theirs, "times", aim, made)


def _detect(network: yolox.Yolox, scenes: Iterator[frame.Picture]) -> None:
    network.detect(next(scenes))


def device(found: dict[str, Any]) -> Iterator[Line]:
    """Read what the `look` process measured of itself."""
    made = f"{found['sentence_ms']:.1f} ms by {found['invoke_ms']:.1f} ms"
    yield Line("frame to sentence by interpreter calls", found["overhead"], "times", "at most 1.10", made)
    yield Line("resident memory of `look`", found["peak_rss_mib"], "MiB", "at most 160", "most it ever had")
    yield Line("cold start to first caption", found["cold_start_seconds"], "s", "at most 2", "in the outbox")


def server(options: argparse.Namespace) -> Iterator[Line]:
    """Run the alert service against a real Mosquitto: how much, how soon, and for how long."""
    intake = throughput.compare(options.captions_burst, options.server_rounds)
    made = f"{intake['busy']:,.0f} by {intake['bare_busy']:,.0f} a second of processor time, one core each"
    yield Line("captions stored and acknowledged by a bare paho loop", intake["ratio"], "times", "at least 3", made)
    made = f"{intake['rate']:,.0f} by {intake['bare_rate']:,.0f} a second by the clock"
    yield Line("the same, beside what else ran here", intake["wall_ratio"], "times", "", made)
    wait = latency.measure(options.seconds)
    made = (
        f"p50 {wait['p50']:.2f} s, p99 {wait['p99']:.2f} s, {wait['told']:.0f} told of {wait['captions']:.0f} captions"
    )
    yield Line("caption to text message, p95", wait["p95"], "s", "at most 1", made)
    long = soak.measure(options.captions_count)
    made = f"{long['warm_mib']:.0f} to {long['end_mib']:.0f} MiB over {long['captions']:,.0f} captions"
    yield Line("growth of the alert service", long["mib_per_million"], "MiB a million", "0", made)
    yield Line("database", long["disk_bytes"], "bytes a caption", "", "after its last checkpoint")
    yield pages(options.captions_kept)


def pages(captions: int) -> Line:
    """Open every page of the console over few captions and over many; the worst ratio counts."""
    costs = console_pages.compare(FEW_CAPTIONS, captions, PAGE_ROUNDS)
    worst = costs[0]
    made = (
        f"{worst.path}: {1000 * worst.many_seconds:.0f} by {1000 * worst.few_seconds:.0f} ms, the worst of {len(costs)}"
    )
    subject = f"a page of the console over {captions:,} captions by {FEW_CAPTIONS:,}"
    return Line(subject, worst.ratio, "times", "at most 3", made)


def false_alarms(captions: Path) -> Iterator[Line]:
    """Hold the rules against looking for substrings."""
    found = rule_false_alarms.compare(rule_false_alarms.read(captions))
    theirs = min(found[name] for name in rule_false_alarms.LISTS)
    made = f"{theirs} by {found['rules']} of {found['sentences']} peaceful sentences"
    yield Line("false alarms, substrings by rules", found["ratio"], "times", "at least 20", made)


def rule_cost(captions: Path) -> Iterator[Line]:
    """Judge sentences under a hundred times as many rules."""
    cost = rule_speed.compare(rule_false_alarms.read(captions))
    made = f"{cost['many_us']:.0f} us by {cost['few_us']:.0f} us a sentence"
    yield Line("a sentence under 1,000 rules by 10", cost["ratio"], "times", "at most 1.3", made)


def _ms(theirs: float, ours: float, length: str) -> str:
    return f"{1000 * theirs:.0f} ms by {1000 * ours:.1f} ms, {length}"


def _table(lines: Sequence[Line]) -> Table:
    table = Table(title="wordcam, measured on this machine", title_justify="left", title_style="bold")
    for column in ("what", "measured", "aim", "made of"):
        table.add_column(column, justify="right" if column == "measured" else "left")
    for line in lines:
        table.add_row(line.subject, f"{line.value:.2f} {line.unit}", line.aim, line.how)
    return table


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("--bundle", type=Path, default=BUNDLE, metavar="DIR", help="bundle to measure")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="pictures to caption; drawn ones without")
    parser.add_argument("--captions", type=Path, metavar="FILE", help="peaceful captions, to count false alarms on")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="turns of each path (%(default)s)")
    parser.add_argument("--frames", type=int, default=100, metavar="N", help="frames for `look` (%(default)s)")
    parser.add_argument("--without-seed", action="store_true", help="leave out the seed, which needs TensorFlow")
    parser.add_argument("--without-yolox", action="store_true", help="leave out YOLOX-Nano, which is built by it too")
    parser.add_argument("--without-server", action="store_true", help="leave out the alert service")
    parser.add_argument(
        "--captions-burst", type=int, default=20_000, metavar="N", help="captions that wait for it (%(default)s)"
    )
    parser.add_argument("--server-rounds", type=int, default=3, metavar="N", help="turns of those (%(default)s)")
    parser.add_argument("--seconds", type=int, default=30, metavar="N", help="of 100 captions each (%(default)s)")
    parser.add_argument(
        "--captions-count", type=int, default=100_000, metavar="N", help="captions for its memory (%(default)s)"
    )
    parser.add_argument(
        "--captions-kept", type=int, default=1_000_000, metavar="N", help="captions for its console (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="a JSON list in place of a table")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
