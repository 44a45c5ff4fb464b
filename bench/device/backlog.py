"""How fast an hour's backlog leaves a device: `python -m bench.device.backlog`.

An outbox is filled with a caption a second, as after an hour without network, and `send` hands it to a real MQTT server
and a real alert service on this machine. The network between them is loopback: on a slower one its round trip counts.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from bench.chaos import instances
from bench.chaos.instances import Instance, Nursery
from bench.faults.device import Device
from broker.config.database import Database
from broker.store import migrate
from broker.store.engine import open_database
from contract import caption
from contract.caption import Caption, Hazard
from edge import config
from edge.outbox.outbox import Outbox
from testing.fake_twilio import FakeTwilio
from testing.mosquitto import Mosquitto

DANGER_EVERY: Final = 600
"""One caption in so many speaks of a danger."""


def event(seq: int, began: datetime) -> Caption:
    """Write the caption of one second."""
    at = began + timedelta(seconds=seq)
    danger = seq % DANGER_EVERY == DANGER_EVERY // 2
    return Caption(
        text="a man is holding a gun in a parking lot" if danger else "a man is walking on the street",
        captured_at=at,
        site="north-gate",
        device="pi-01",
        stream="cam-0",
        confidence=0.7,
        hazards=(Hazard("gun", 0.9, 0.9, at),) if danger else (),
        model="bench@1.0.0",
        seq=seq,
        id=f"backlog-{seq:08d}",
        source=caption.source("north-gate", "pi-01", "cam-0"),
        time=at,
    )


def measure(folder: Path, captions: int) -> dict[str, float]:
    """Fill an outbox, send it, and return how long that took."""
    with ExitStack() as stack:
        mqtt = stack.enter_context(Mosquitto(folder, verbose=False))
        twilio = stack.enter_context(FakeTwilio())
        nursery = stack.enter_context(Nursery({}))
        database = {"path": str(folder / "wordcam.db")}
        (path,) = instances.write(folder, ("alerts",), database, port=mqtt.port, url=twilio.url)
        engine = open_database(msgspec.convert(database, Database, dec_hook=lambda kind, value: kind(value)))
        migrate.require_current(engine)
        engine.dispose()
        service = Instance(path.stem, path, nursery)
        service.start()
        stack.callback(service.kill)
        service.wait_ready()
        device = Device(folder, folder, {})
        device.configure(bundle=config.DEFAULT_BUNDLE, camera_url="http://127.0.0.1:9/", mqtt_port=mqtt.port)
        began = datetime.now(UTC) - timedelta(seconds=captions)
        with Outbox(device.outbox, captions + 1) as outbox:
            for _ in range(captions):
                outbox.append(lambda number: event(number, began))
        return _drain(stack, device, captions)


def _drain(stack: ExitStack, device: Device, captions: int) -> dict[str, float]:
    started = time.monotonic()
    device.begin("send")
    stack.callback(device.end, "send")
    while device.count()[1] == captions:
        time.sleep(0.02)
    first = time.monotonic()
    while device.count()[1]:
        time.sleep(0.02)
    seconds = time.monotonic() - first
    return {
        "captions": captions,
        "first_seconds": round(first - started, 1),
        "seconds": round(seconds, 1),
        "captions_per_second": round(captions / seconds),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.device.backlog")
    parser.add_argument("--captions", type=int, default=3600, metavar="N", help="default: %(default)s")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="wordcam-backlog-") as folder:
        print(json.dumps(measure(Path(folder), options.captions)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
