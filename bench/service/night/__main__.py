"""`python -m bench.service.night`, or `make night`: replays a night and writes every text that each person got."""

import argparse
import logging
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.service.night import page, replay, scenario, verdict


def main(argv: Sequence[str] | None = None) -> int:
    """Replay the night; give 0, or 1 where something was dropped or a text broke a promise."""
    options = _options(argv)
    logging.disable(logging.ERROR)  # the page says what happens
    chance = random.Random(options.seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        replay.opened(Path(folder), begin=scenario.BEGIN, chance=chance.random) as night,
    ):
        night.run(scenario.script(seed=options.seed))
        found = verdict.of(night)
        options.out.write_text(page.page(night, found), encoding="utf-8")
    print(f"{options.out}: {found.captions} captions, {len(found.texts)} texts, dropped {found.dropped}")
    for problem in found.problems:
        print(problem, file=sys.stderr)
    return 1 if found.dropped or found.doubled or found.problems else 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.service.night", description=(__doc__ or "").partition(": ")[2]
    )
    parser.add_argument("--out", type=Path, default=Path("docs/night.md"), metavar="FILE", help="page (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="of what is left to chance (%(default)s)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
