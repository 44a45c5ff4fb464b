"""`python -m bench.fuzz`: a million inputs at everything that reads bytes from outside, each decoder in a process."""

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from itertools import repeat
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.accuracy.alarms import ROOT
from bench.fuzz import campaign
from bench.fuzz.campaign import Tally
from bench.fuzz.decoder import Decoder

CRASHES: Final = ROOT / ".cache" / "fuzz"
"""Where the inputs that crash something are kept."""

MOST_SHOWN: Final = 6
"""Reasons of refusals in the table; `--json` has all of them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Throw the inputs; give 0, 1 where anything crashed, or 78 for bad options."""
    options = _options(argv)
    known = decoders(guided=options.child is not None and not options.plain)
    chosen = [decoder for decoder in known if options.only in (None, decoder.name)]
    if not chosen:
        print(f"bench.fuzz: no decoder {options.only}; known: {campaign.names(known)}", file=sys.stderr)
        return 78
    if options.replay is not None:
        return _replay(chosen[0], options.replay)
    if options.child is not None:
        _child(chosen[0], options)
        return 0
    reports = list(_throw(chosen, options))
    print(json.dumps(reports, indent=2)) if options.json else _show(reports)
    return int(any(report["crashes"] for report in reports))


def decoders(*, guided: bool = False) -> tuple[Decoder, ...]:
    """Return every decoder; `guided` lets Atheris instrument what they import, at its first import."""
    with campaign.instrumented() if guided else nullcontext():
        from bench.fuzz import console, files, server, services, wire  # noqa: PLC0415 - see above
    return (*wire.DECODERS, *files.DECODERS, *server.DECODERS, *console.DECODERS, *services.DECODERS)


def _throw(chosen: Sequence[Decoder], options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Run a process for each decoder, a few at a time: a hard crash of one is not the end of all."""
    whole = sum(decoder.weight for decoder in chosen)
    shares = [max(1, -(-options.inputs * decoder.weight // whole)) for decoder in chosen]
    thrown = chosen, shares, repeat(options)
    reports = map(_forked, *thrown) if options.plain else ThreadPoolExecutor(options.jobs).map(_run, *thrown)
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), auto_refresh=False) as progress:
        bar = progress.add_task("inputs", total=sum(shares))
        for share, report in zip(shares, reports, strict=True):
            progress.update(bar, advance=share, description=report["decoder"], refresh=True)
            if options.verbose:
                print(json.dumps(report), file=sys.stderr, flush=True)
            yield report


def _forked(decoder: Decoder, inputs: int, options: argparse.Namespace) -> dict[str, Any]:
    """Run in a copy of this process: unlike Atheris' it need not import everything anew."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "report.json"
        asked = argparse.Namespace(**vars(options) | {"child": told, "inputs": inputs})
        pid = os.fork()
        if not pid:
            try:
                _child(decoder, asked)
            finally:
                os._exit(1)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return _told(decoder, told, options, f"the process ended with {code}")


def _run(decoder: Decoder, inputs: int, options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        told, log = Path(folder) / "report.json", Path(folder) / "log"
        command = [sys.executable, "-m", "bench.fuzz", "--only", decoder.name, "--child", str(told)]
        command += ["--inputs", str(inputs), "--seed", str(options.seed), "--crashes", str(options.crashes)]
        with log.open("wb") as stream:
            code = subprocess.run(command, stdout=stream, stderr=stream, cwd=ROOT, check=False).returncode
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-12:]
        return _told(decoder, told, options, f"the process ended with {code}: {' / '.join(said)[-600:]}")


def _told(decoder: Decoder, told: Path, options: argparse.Namespace, otherwise: str) -> dict[str, Any]:
    if told.exists():
        return dict(json.loads(told.read_bytes()))
    return Tally(decoder.name, options.crashes, crashes={otherwise: str(options.crashes)}).report


def _child(decoder: Decoder, options: argparse.Namespace) -> None:
    logging.disable(logging.WARNING)
    # What decoders write goes with the report's folder.
    tempfile.tempdir = str(options.child.parent)

    def done(tally: Tally) -> None:
        options.child.write_text(json.dumps(tally.report), encoding="utf-8")
        # Atheris would go on for ever, and its own end says nothing of ours.
        os._exit(0)

    asked = {"inputs": options.inputs, "seed": options.seed, "folder": options.crashes}
    if options.plain or not campaign.GUIDED:
        done(campaign.plainly(decoder, **asked))
    campaign.guided(decoder, **asked, done=done)


def _replay(decoder: Decoder, file: Path) -> int:
    print(campaign.replay(decoder, file.read_bytes()) or "accepted")
    return 0


def _show(reports: Sequence[dict[str, Any]]) -> None:
    total = sum(report["inputs"] for report in reports)
    table = Table(title=f"{total:,} inputs", title_justify="left", title_style="bold")
    for column in ("decoder", "inputs", "accepted", "refused", "crashes"):
        table.add_column(column, justify="left" if column in ("decoder", "refused") else "right")
    for report in reports:
        reasons = list(report["refused"].items())
        more = f" and {len(reasons) - MOST_SHOWN} more" if len(reasons) > MOST_SHOWN else ""
        refused = ", ".join(f"{reason} {count:,}" for reason, count in reasons[:MOST_SHOWN]) + more
        counts = (f"{report['inputs']:,}", f"{report['accepted']:,}", refused, str(len(report["crashes"])))
        table.add_row(report["decoder"], *counts)
    console = Console()
    console.print(table)
    for report in reports:
        for what, file in report["crashes"].items():
            console.print(f"{report['decoder']}: {what}\n  {file}", markup=False, highlight=False)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("--inputs", type=int, default=1_000_000, metavar="N", help="in all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the chance (default: %(default)s)")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="at a time, guided ones (default: %(default)s)"
    )
    parser.add_argument("--only", metavar="NAME", help="one decoder")
    parser.add_argument("--plain", action="store_true", help="by chance alone, even where Atheris is installed")
    parser.add_argument("--crashes", type=Path, default=CRASHES, metavar="DIR", help="where inputs that crash are kept")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="throw one input that was kept; needs --only")
    parser.add_argument("--json", action="store_true", help="a JSON list in place of a table")
    parser.add_argument("--verbose", action="store_true", help="say what came of each decoder as it ends")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
