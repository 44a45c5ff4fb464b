"""Memory and disk of the alert service over very many captions.

python -m bench.service.soak --count 1000000
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import Progress

from bench.fixtures import caption_stream, mqtt_publisher
from bench.fixtures.mqtt_server import mqtt_server
from bench.service import service_process

DEVICES: Final = 1000

AHEAD: Final = 20_000
"""Captions that wait in the MQTT server at most, so that its memory does not grow with the count."""

WARM_SHARE: Final = 0.2
"""Of the captions, during which caches fill; growth is counted after."""

MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen at one moment."""

    captions: int
    resident: int


def measure(count: int) -> dict[str, float]:
    """Return resident MiB after warming up and at the end, their slope, and bytes a caption on the disk."""
    samples: list[Sample] = []
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        mqtt_server(Path(folder)) as mqtt,
        mqtt_publisher.Devices(mqtt.port) as devices,
    ):
        with service_process.running(Path(folder) / "service", mqtt.port) as service:
            said = caption_stream.talking(DEVICES)
            console = Console(stderr=True)
            with Progress(console=console, disable=not console.is_terminal) as progress:
                task = progress.add_task("captions", total=count)
                for sent in range(0, count, AHEAD // 4):
                    devices.send(islice(said, min(AHEAD // 4, count - sent)))
                    devices.wait_stored(sent - AHEAD)
                    samples.append(Sample(devices.stored, service.resident_bytes))
                    progress.update(task, completed=devices.stored)
                devices.wait_stored(count)
            samples.append(Sample(devices.stored, service.resident_bytes))
        disk = service.database.stat().st_size
    warm = [sample for sample in samples if sample.captions >= WARM_SHARE * count]
    return {
        "captions": count,
        "seconds": time.monotonic() - began,
        "warm_mib": warm[0].resident / MIB,
        "end_mib": warm[-1].resident / MIB,
        "mib_per_million": slope(warm) * 1e6 / MIB,
        "disk_bytes": disk / count,
    }


def slope(samples: list[Sample]) -> float:
    """Return the growth in bytes a caption, by least squares; 0 for fewer than two moments."""
    mean_x = sum(sample.captions for sample in samples) / len(samples)
    mean_y = sum(sample.resident for sample in samples) / len(samples)
    spread = sum((sample.captions - mean_x) ** 2 for sample in samples)
    return sum((one.captions - mean_x) * (one.resident - mean_y) for one in samples) / spread if spread else 0.0


def main() -> int:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.service.soak", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--count", type=int, default=1_000_000, metavar="N", help="captions (%(default)s)")
    print(json.dumps(measure(parser.parse_args().count)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
