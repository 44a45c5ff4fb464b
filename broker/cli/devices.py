"""The verb `devices`: the health of every device, each of its cameras, and what does not hold of its isolation."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from broker.config import broker as config_file
from broker.incidents.presence import devices
from broker.incidents.presence.devices import Device
from broker.store import migrate
from broker.store.engine import open_database, reading
from contract.status import Exposure

EXPOSED = {
    Exposure.NETWORK: "the process that sees keeps its network: the kernel refused to cut it off, and "
    "`allow_network: true` in its edge.yaml starts it all the same",
    Exposure.ROOT: "its processes run as root, and `as_root: true` in its edge.yaml lets them",
}
"""What each exposure means, and what it comes from."""


def run(arguments: argparse.Namespace) -> int:
    """Print every device; raises `Misconfigured`, `Unavailable`."""
    config = config_file.load(arguments.config)
    engine = open_database(config.database)
    try:
        migrate.require_current(engine)
        with reading(engine) as connection:
            found = devices.everyone(connection)
    finally:
        engine.dispose()
    presence = config.presence
    silent = devices.SILENT if presence is None else timedelta(seconds=presence.quiet_seconds)
    now = datetime.now(UTC)
    for one in found:
        health = devices.health(one, now, silent)
        if arguments.json:
            print(msgspec.json.encode({"health": health, **msgspec.to_builtins(one)}).decode())
        else:
            print(*_lines(one, health), sep="\n")
    if not found and not arguments.json:
        print("no device has connected yet")
    return 0


def _lines(one: Device, health: str) -> Iterator[str]:
    beside = [one.reason, one.model, f"last message {one.heard_at:%Y-%m-%d %H:%M:%S} UTC"]
    yield f"{one.site}/{one.device}: {', '.join([health, *(part for part in beside if part)])}"
    for exposure in one.exposed or ():
        yield f"  WARNING: {EXPOSED.get(exposure, exposure.value)}"
    if one.evidence:
        yield "  keeps sealed pictures of alarms, on the device alone"
    for camera in one.cameras or ():
        wrong = [condition.condition.value for condition in one.conditions or () if condition.stream == camera.stream]
        state = ", ".join(part for part in (camera.reason, *wrong) if part) or "ok"
        yield f"  {camera.stream}: {state}; {camera.captions} captions of {camera.frames} frames"
