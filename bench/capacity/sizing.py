"""The arithmetic of docs/scale.md: what so many cameras need, from what was measured and what is assumed.

python -m bench.capacity.sizing --write      # puts the table into the page anew
"""

import argparse
import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "scale.md"

BEGIN: Final = "<!-- table: python -m bench.capacity.sizing --write -->"
END: Final = "<!-- end of the table -->"

CAMERAS: Final = (10, 1_000, 10_000, 100_000, 1_000_000, 8_100_000)

# Measured by `python -m bench` on one core of a shared x86 machine.
PER_CORE: Final = 17_000
"""Captions stored and acknowledged in a second of processor time, SQLite."""
WIRE_BYTES: Final = 560
"""A caption of this bench on the wire: payload, topic and MQTT's own."""
ROW_BYTES: Final = 470
"""A caption in the database, indexes included."""

# Assumed.
SECONDS_APART: Final = 10
"""Between two captions of a camera, on average over a day; the gate keeps a quiet camera quiet."""
PEAK: Final = 3
"""Times the average, at the busiest hour."""
LOAD: Final = 0.5
"""Share of a core that is used at the peak: the rest is for what comes back after an outage."""
KEPT_DAYS: Final = 30
COPIES: Final = 2
"""Of every row."""
CONNECTIONS: Final = 20_000
"""Devices on one Mosquitto: `max_connections` of deploy/mosquitto/mosquitto.conf."""
ROWS_PER_SHARD: Final = 20_000
"""Rows a second that one PostgreSQL server takes in batches, with room for its readers."""
CORE_PRICE: Final = 25
"""US dollars a month for a rented core with 4 GB."""
TB_PRICE: Final = 80
"""US dollars a month for a terabyte of fast disk."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one number of cameras needs."""

    cameras: int

    @property
    def average(self) -> float:
        """Captions a second."""
        return self.cameras / SECONDS_APART

    @property
    def peak(self) -> float:
        """Captions a second at the busiest hour."""
        return self.average * PEAK

    @property
    def cores(self) -> int:
        """Of alert services."""
        return math.ceil(self.peak / (PER_CORE * LOAD))

    @property
    def mqtt_servers(self) -> int:
        """Of Mosquitto's size."""
        return math.ceil(self.cameras / CONNECTIONS)

    @property
    def shards(self) -> int:
        """PostgreSQL servers that write."""
        return math.ceil(self.peak / ROWS_PER_SHARD)

    @property
    def kept_tb(self) -> float:
        """Terabytes of rows, all copies."""
        return self.average * 86_400 * KEPT_DAYS * ROW_BYTES * COPIES / 1e12

    @property
    def wire_mbit(self) -> float:
        """Megabits a second into the MQTT servers at the peak."""
        return self.peak * WIRE_BYTES * 8 / 1e6

    @property
    def dollars(self) -> float:
        """A month: cores of alert services, MQTT servers (2 each) and databases (8 each, all copies), and disks."""
        cores = self.cores + 2 * self.mqtt_servers + 8 * self.shards * COPIES
        return cores * CORE_PRICE + self.kept_tb * TB_PRICE


def table() -> str:
    """Return the table in Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    heads = ["cameras", "captions/s, mean (peak)", "Mbit/s", "cores of alert service", "Mosquittos", "databases"]
    heads += ["rows kept", "US$ a month"]
    yield f"| {' | '.join(heads)} |"
    yield "|---:" * len(heads) + "|"
    for need in map(Need, CAMERAS):
        yield (
            f"| {need.cameras:,} | {need.average:,.0f} ({need.peak:,.0f}) | {need.wire_mbit:,.2f} | {need.cores:,} |"
            f" {need.mqtt_servers:,} | {need.shards:,} | {_size(need.kept_tb)} | {need.dollars:,.0f} |"
        )


def _size(terabytes: float) -> str:
    if terabytes >= 1000:
        return f"{terabytes / 1000:,.1f} PB"
    return f"{terabytes:,.1f} TB" if terabytes >= 1 else f"{1000 * terabytes:,.0f} GB"


def written(page: str) -> str:
    """Return a page with its table made anew."""
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{table()}\n{END}", page, flags=re.DOTALL)


def main() -> int:
    """Print the table, or write it into the page."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.capacity.sizing", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--write", action="store_true", help="into docs/scale.md")
    if parser.parse_args().write:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
