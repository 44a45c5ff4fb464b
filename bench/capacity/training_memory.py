"""Shows that preparing and training on a set of COCO's size takes bounded memory, and goes on after a kill.

    python -m bench.capacity.training_memory [--pictures 118287] [--side 64] [--train] [--folder DIR] [--json]

Writes a set of that many pictures (a few hundred different JPEGs, hard-linked) with five captions each, and one of a
tenth; runs `wordcam-train prepare --check` on both, kills it in the middle of the larger and lets it go on. `--train`
also encodes the pictures with a small encoder and trains a few hundred steps.
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

PICTURES: Final = 118_287
CAPTIONS: Final = 591_753
"""Training pictures of COCO 2017 and their captions (cocodataset.org)."""

VAL: Final = 5_000
"""Its validation pictures; sets of other sizes keep the proportion."""

DIFFERENT: Final = 256
"""Different pictures behind the names; a file system may allow no more than 65,000 links to one file (ext4)."""

WORDS: Final = 30_000
"""Different words, drawn by Zipf's law as in a language; COCO's captions hold about as many."""

COMMAND: Final = (sys.executable, "-c", "from trainer.cli import console; console()")


class Failed(Exception):
    """A process that was to succeed did not."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a process took, and what it answered."""

    processor_seconds: float
    peak_mib: float
    """Most resident memory it ever had."""
    private_mib: float
    """Most of it that no file backs, sampled ten times a second."""
    said: str


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of a tenth and of the whole."""

    what: str
    tenth: float
    whole: float
    unit: str

    @property
    def ratio(self) -> float:
        """The whole by the tenth."""
        return self.whole / self.tenth if self.tenth else 0.0


def generate(folder: Path, pictures: int, *, side: int = 64, seed: int = 1) -> Path:
    """Write a set of so many training pictures with captions, and a recipe of it; returns the recipe's path."""
    draw = random.Random(seed)
    (folder / "images").mkdir(parents=True)
    for split, count in (("train", pictures), ("val", max(1, pictures * VAL // PICTURES))):
        names = list(_link(folder / "images", split, count, side))
        _captions(folder / f"captions_{split}.json", names, draw)
    captions = {"name": "generated", "images": "images", "train": "captions_train.json", "val": "captions_val.json"}
    recipe = {
        "name": "coco-size",
        "version": "0.0.1",
        "data": {"captions": [captions], "licences": [{"what": "generated pictures", "terms": "none needed"}]},
        "vocabulary": {"min_count": 5},
        "encoder": {"height": 32, "width": 32, "weights": "", "flips": False, "batch_size": 256},
        "decoder": {"embedding": 32, "state": 64, "attention": 32, "context": 32, "max_tokens": 16},
        "training": {"epochs": 1, "max_steps": 200, "score_images": 64},
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return path


def _link(folder: Path, split: str, count: int, side: int) -> Iterator[str]:
    random_clouds = np.random.default_rng(len(split))
    first = []
    for number in range(count):
        name = f"{split}-{number:012}.jpg"
        if number < DIFFERENT:
            clouds = random_clouds.integers(0, 256, (8, 8, 3), np.uint8)
            cv2.imwrite(str(folder / name), cv2.resize(clouds, (side, side), interpolation=cv2.INTER_CUBIC))
            first.append(folder / name)
        else:
            (folder / name).hardlink_to(first[number % DIFFERENT])
        yield name


def _captions(path: Path, names: Sequence[str], draw: random.Random) -> None:
    """Write COCO's format piece by piece; some pictures have six captions, so that COCO's own count comes out."""
    weights = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))
    with path.open("w", encoding="utf-8") as stream:
        stream.write('{"images": [')
        for number, name in enumerate(names):
            image = {"id": number, "file_name": name, "width": 64, "height": 64, "coco_url": "x" * 60}
            stream.write(f"{', ' if number else ''}{json.dumps(image)}")
        stream.write('], "annotations": [')
        for number in range(len(names) * CAPTIONS // PICTURES):
            said = draw.choices(range(WORDS), cum_weights=weights, k=draw.randint(8, 13))
            note = {"id": number, "image_id": number % len(names), "caption": " ".join(map(_word, said))}
            stream.write(f"{', ' if number else ''}{json.dumps(note)}")
        stream.write("]}")


def _word(rank: int) -> str:
    """Spell a made-up word in letters."""
    return "".join("abcdefghij"[int(digit)] for digit in str(rank))


def run(*arguments: str | Path) -> Use:
    """Run `wordcam-train` to its end and watch its memory; raises `Failed` where it does not succeed."""
    private = 0.0
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = start(*arguments, stdout=out, stderr=err)
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            private = max(private, _private_mib(process.pid))
            time.sleep(0.1)
        process.returncode = os.waitstatus_to_exitcode(ended[1])
        out.seek(0)
        err.seek(0)
        if process.returncode != 0:
            raise Failed(f"{' '.join(map(str, arguments))}: {err.read()[-2000:]}")
        used = ended[2]
        return Use(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, private, out.read())


def start(*arguments: str | Path, **streams: Any) -> subprocess.Popen[str]:
    """Start `wordcam-train`."""
    return subprocess.Popen([*COMMAND, *map(str, arguments)], text=True, **streams)


def kill_and_go_on(recipe: Path, runs: Path, share: float = 0.4) -> tuple[int, int, int]:
    """Kill `prepare` when it knows this share of the pictures; returns (all, known at the kill, opened afterwards)."""
    total = sum(1 for _ in (recipe.parent / "images").iterdir())
    store = runs / "coco-size" / "images.sqlite"
    process = start("prepare", recipe, "--runs", runs, "--check", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while _rows(store) < share * total:
        if process.poll() is not None:
            raise Failed("prepare ended before it could be killed")
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    known = _rows(store)
    answer = json.loads(run("prepare", recipe, "--runs", runs, "--check", "--json").said)
    return total, known, answer["images"]["opened"]


def _rows(store: Path) -> int:
    if not store.exists():
        return 0
    base = sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=10)
    try:
        return int(base.execute("SELECT count(*) FROM images").fetchone()[0])
    except sqlite3.OperationalError:  # the table is not there yet, or a commit is under way
        return 0
    finally:
        base.close()


def _private_mib(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(found[0]) / 1024 if found else 0.0


def measure(folder: Path, options: argparse.Namespace) -> Iterator[Line]:
    """Prepare, and perhaps train on, a tenth and the whole."""
    sizes = {"tenth": options.pictures // 10, "whole": options.pictures}
    recipes = [generate(folder / name, size, side=options.side) for name, size in sizes.items()]

    def both(verb: str, *more: str) -> tuple[Use, Use]:
        tenth, whole = (run(verb, path, "--runs", path.parent / "runs", *more) for path in recipes)
        return tenth, whole

    tenth, whole = both("prepare", "--check", "--json")
    few, many = (json.loads(use.said)["images"] for use in (tenth, whole))
    yield Line("pictures opened", few["opened"], many["opened"], "")
    yield Line("of them a second", few["opened"] / few["seconds"], many["opened"] / many["seconds"], "1/s")
    yield Line("processor time of prepare --check", tenth.processor_seconds, whole.processor_seconds, "s")
    yield Line("peak memory of prepare --check", tenth.peak_mib, whole.peak_mib, "MiB")
    total, known, after = kill_and_go_on(recipes[1], folder / "killed")
    yield Line("unknown after a kill, and opened then", total - known, after, "")
    for verb in ("prepare", "train") if options.train else ():
        tenth, whole = both(verb)
        yield Line(f"peak memory of {verb}", tenth.peak_mib, whole.peak_mib, "MiB")
        yield Line(f"of it backed by no file ({verb})", tenth.private_mib, whole.private_mib, "MiB")
        yield Line(f"processor time of {verb}", tenth.processor_seconds, whole.processor_seconds, "s")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; give 0, or 1 where a process failed."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.capacity.training_memory", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--pictures", type=int, default=PICTURES, metavar="N", help="of train (%(default)s)")
    parser.add_argument("--side", type=int, default=64, metavar="PX", help="side of the pictures (%(default)s)")
    parser.add_argument("--train", action="store_true", help="also encode the pictures and train")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where to write; removed at the end without")
    parser.add_argument("--json", action="store_true", help="a JSON list in place of a table")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        try:
            lines = list(measure(Path(folder), options))
        except Failed as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1
    if options.json:
        print(json.dumps([{**asdict(line), "ratio": line.ratio} for line in lines]))
        return 0
    table = Table("what", "a tenth", "the whole", "unit", "ratio")
    for line in lines:
        table.add_row(line.what, f"{line.tenth:,.0f}", f"{line.whole:,.0f}", line.unit, f"{line.ratio:.2f}")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
