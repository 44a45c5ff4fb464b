"""`python -m bench.device`: one file of figures of this device, and the page that collects such files."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.device import commands, page, plot, report
from edge.config import DEFAULT_BUNDLE


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, or write the page; returns 0, or 78 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m bench.device", description=(__doc__ or "").partition(": ")[2])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--report", type=Path, metavar="FILE", help="measure this device, and write a report and a picture"
    )
    what.add_argument("--page", type=Path, metavar="DIR", help="write devices.md, with a picture, of DIR/devices")
    parser.add_argument("--bundle", type=Path, default=DEFAULT_BUNDLE, metavar="DIR", help="bundle to measure")
    parser.add_argument("--frames", type=int, default=100, metavar="N", help="frames to look at (%(default)s)")
    options = parser.parse_args(argv)
    try:
        if options.page is not None:
            reports = page.read(options.page / "devices")
            (options.page / "devices.md").write_text(page.text(reports), encoding="utf-8")
            plot.stages(page.stages(reports), options.page / page.PLOT)
            return 0
        made = report.measure(options.bundle, options.frames)
        options.report.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n")
        plot.stages(page.stages([made]), options.report.with_suffix(".svg"))
    except (commands.Failed, ValueError, OSError) as error:
        print(f"bench.device: {error}", file=sys.stderr)
        return 78
    print(f"{options.report}: {made.machine.board}; docs/devices.md says where to send it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
