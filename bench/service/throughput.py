"""Captions committed and acknowledged on one core, against a paho loop that does nothing but count.

Both take the same captions out of the queue of the same Mosquitto, turn by turn; it is full before they begin, so that
nobody waits for a publisher. They are timed from their first message to their last. The processor time is the steadier
measure where other programs run on the same core; the ratio is the lesser of the two.
"""

import statistics
import tempfile
from itertools import islice
from pathlib import Path
from typing import Final

from bench.device import commands
from bench.fixtures import caption_stream, mqtt_publisher
from bench.fixtures.mqtt_server import mqtt_server
from bench.service import mqtt_clients, service_process

DEVICES: Final = 1000


def compare(count: int, rounds: int) -> dict[str, float]:
    """Return captions a second and a second of processor time of each, and the ratios; raises `commands.Failed`."""
    turns: list[dict[str, float]] = []
    said = list(islice(caption_stream.talking(DEVICES), count))
    with tempfile.TemporaryDirectory() as folder, mqtt_server(Path(folder)) as mqtt:
        port = mqtt.port
        for turn in range(rounds):
            for name in (mqtt_clients.CLIENT_ID, service_process.CLIENT_ID):
                mqtt_publisher.keep(port, name)
            with mqtt_publisher.Devices(port) as devices:
                devices.send(said)
                devices.wait_sent()
            bare = mqtt_clients.take("paho", port, count)
            turns.append(_ours(Path(folder) / str(turn), port, count, bare))
    return {key: statistics.median(turn[key] for turn in turns) for key in turns[0]}


def _ours(folder: Path, port: int, count: int, bare: dict[str, float]) -> dict[str, float]:
    with mqtt_publisher.Devices(port) as devices, service_process.running(folder, port) as service:
        devices.wait_stored(1)
        before, stored, began = service.processor_seconds, devices.stored, devices.last_at
        devices.wait_stored(count)
        done = count - stored
        spent = service.processor_seconds - before
        if not done or not spent:
            raise commands.Failed(f"{count} captions are stored too quickly to be timed: take more")
        busy = done / spent
        rate = done / (devices.last_at - began)
    return {
        "rate": rate,
        "busy": busy,
        "bare_rate": bare["per_second"],
        "bare_busy": bare["per_processor_second"],
        "wall_ratio": rate / bare["per_second"],
        "ratio": busy / bare["per_processor_second"],
    }
