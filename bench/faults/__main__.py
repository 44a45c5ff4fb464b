"""Kills a device's processes and its server's at random, again and again: `python -m bench.faults`, or `make faults`.

A camera on the network, `pull`, `look` and `send`, a real MQTT server and a real alert service. Between the kills the
network is cut, the disk of the outbox is full, and the clock of `look` is set ahead and back. At the end every caption
that the outbox has accepted must be in the server's database, once.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from bench.chaos import instances
from bench.chaos.instances import Instance, Nursery
from bench.faults import device as devices
from bench.faults import set_clock
from bench.faults.camera import SnapshotCamera
from bench.faults.device import Device
from bench.faults.network_cut import Relay
from bench.faults.set_clock import WallClock
from broker.config.database import Database
from broker.store import migrate
from broker.store.engine import open_database, reading
from broker.store.tables import core
from edge import config
from testing.fake_twilio import FakeTwilio
from testing.mosquitto import Mosquitto

VICTIMS: Final = {"look": 4, "pull": 2, "send": 4, "MQTT server": 2, "alert service": 2}
"""What is killed, and how often compared with one another."""

BETWEEN: Final = {"network cut": 0.15, "full disk": 0.08, "clock set": 0.12}
"""What happens besides, and in which share of the kills."""

JUMPS_SECONDS: Final = (-86_400, -3_600, -30, 0, 45, 7_200, 40_000_000)
"""By how much the clock is wrong after it was set."""

DISK_BYTES: Final = 16 << 20

DRAIN_SECONDS: Final = 240.0

INSIDE: Final = "WORDCAM_FAULTS_INSIDE"
"""Set where this program runs in a namespace of its own, in which it may mount a small disk."""


@dataclass
class Site:
    """A device, its server, and what can befall them."""

    device: Device
    mqtt: Mosquitto
    service: Instance
    relay: Relay
    clock: WallClock | None
    has_own_disk: bool
    chance: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    between: Counter[str] = field(default_factory=Counter)
    recovery_seconds: list[float] = field(default_factory=list)
    """From the end of `look` to the next caption that it writes."""

    def strike(self) -> None:
        """Let something happen now and then, and kill one process."""
        for what, share in BETWEEN.items():
            if self.chance.random() < share:
                self._befall(what)
        time.sleep(self.chance.uniform(0.1, 1.2))
        (victim,) = self.chance.choices(list(VICTIMS), list(VICTIMS.values()))
        self.kill(victim)

    def kill(self, victim: str) -> None:
        """End one process as a power cut would, and start it again."""
        self.kills[victim] += 1
        if victim == "MQTT server":
            self.mqtt.kill()
            time.sleep(self.chance.uniform(0, 1))
            self.mqtt.start()
        elif victim == "alert service":
            self.service.kill()
            time.sleep(self.chance.uniform(0, 1))
            self.service.start()
        else:
            before, began = self.device.count()[0], time.monotonic()
            self.device.kill(victim)
            if victim == "look":
                self._wait(lambda: self.device.count()[0] > before)
                self.recovery_seconds.append(time.monotonic() - began)

    def _befall(self, what: str) -> None:
        seconds = self.chance.uniform(0.5, 3)
        if what == "network cut":
            self.relay.cut()
            time.sleep(seconds)
            self.relay.mend()
        elif what == "full disk" and self.has_own_disk:
            devices.fill(self.device.disk, seconds)
        elif what == "clock set" and self.clock is not None:
            self.clock.set(self.chance.choice(JUMPS_SECONDS))
        else:
            return
        self.between[what] += 1

    def _wait(self, condition: Callable[[], bool], seconds: float = 60.0) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def drain(self) -> float:
        """Let nothing new be seen, and wait until nothing waits; return how long that took, in seconds."""
        self.device.send_alone()
        began = time.monotonic()
        self._wait(lambda: self.device.count()[1] == 0, DRAIN_SECONDS)
        return time.monotonic() - began


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Kill, mend, and return what happened as it is printed with `--json`."""
    chance = random.Random(options.seed)
    disk = folder / "disk"
    disk.mkdir()
    with ExitStack() as stack:
        has_own_disk = INSIDE in os.environ and _mount(disk)
        mqtt = stack.enter_context(Mosquitto(folder, lines=("max_queued_messages 0",), verbose=False))
        relay = stack.enter_context(Relay(mqtt.port))
        camera = stack.enter_context(SnapshotCamera())
        twilio = stack.enter_context(FakeTwilio())
        nursery = stack.enter_context(Nursery({}))
        database = {"path": str(folder / "wordcam.db")}
        (path,) = instances.write(folder, ("alerts",), database, port=mqtt.port, url=twilio.url)
        engine = open_database(msgspec.convert(database, Database, dec_hook=lambda kind, value: kind(value)))
        stack.callback(engine.dispose)
        migrate.require_current(engine)
        service = Instance(path.stem, path, nursery)
        service.start()
        stack.callback(service.kill)
        service.wait_ready()
        clock = set_clock.make(folder)
        device = Device(folder, disk, clock.environment if clock is not None else {})
        device.configure(bundle=options.bundle, camera_url=camera.url, mqtt_port=relay.port)
        stack.enter_context(device)
        site = Site(device, mqtt, service, relay, clock, has_own_disk, chance)
        if not site._wait(lambda: device.count()[0] > 0):
            raise RuntimeError(f"no caption was written; see {folder}/look.log")
        began = time.monotonic()
        for _ in range(options.kills):
            site.strike()
        seconds = time.monotonic() - began
        drained = site.drain()
        accepted, waiting, given_up = device.count()
        with reading(engine) as connection:
            rows = connection.execute(select(core.caption.c.seq, core.caption.c.event_id)).all()
        service.stop()
    return _report(site, rows=[(row.seq, row.event_id) for row in rows]) | {
        "accepted": accepted,
        "waiting": waiting,
        "given_up": given_up,
        "lost": len(set(range(accepted)) - {row.seq for row in rows}),
        "minutes": round(seconds / 60, 1),
        "drain_seconds": round(drained, 1),
        "seed": options.seed,
    }


def _report(site: Site, rows: list[tuple[int, str]]) -> dict[str, Any]:
    recovery = sorted(site.recovery_seconds)
    ended = {f"{verb}, code {code}": count for (verb, code), count in sorted(site.device.ended.items())}
    return {
        "kills": dict(site.kills),
        "between": dict(site.between),
        "ended_by_themselves": ended,
        "gave_up": sum(count for (_, code), count in site.device.ended.items() if code == 78),
        "stored": len({event_id for _, event_id in rows}),
        "doubled": len(rows) - len({event_id for _, event_id in rows}) + len(rows) - len({seq for seq, _ in rows}),
        "recovery_median_seconds": round(recovery[len(recovery) // 2], 1) if recovery else None,
        "recovery_max_seconds": round(recovery[-1], 1) if recovery else None,
    }


def is_good(found: dict[str, Any]) -> bool:
    """Whether nothing was lost, doubled or left, and no process gave up."""
    return not any(found[name] for name in ("lost", "doubled", "waiting", "given_up", "gave_up"))


def table(found: dict[str, Any]) -> Table:
    """Draw what happened."""
    drawn = Table(title=f"{sum(found['kills'].values())} kills in {found['minutes']} minutes", title_justify="left")
    for column in ("what", "number", "aim"):
        drawn.add_column(column, justify="left" if column == "what" else "right")
    for victim in VICTIMS:
        drawn.add_row(f"kills of {victim}", str(found["kills"].get(victim, 0)), "")
    for what in BETWEEN:
        drawn.add_row(what, str(found["between"].get(what, 0)), "")
    for name, count in found["ended_by_themselves"].items():
        drawn.add_row(f"ended by itself: {name}", str(count), "")
    for name in ("accepted", "stored", "recovery_median_seconds", "recovery_max_seconds", "drain_seconds"):
        drawn.add_row(name.replace("_", " "), str(found[name]), "")
    for name in ("lost", "doubled", "waiting", "given_up", "gave_up"):
        drawn.add_row(name.replace("_", " "), str(found[name]), "0", style="bold red" if found[name] else "")
    return drawn


def _mount(disk: Path) -> bool:
    """Put a small disk of its own there; say whether that could be done."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(disk)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def enter_namespace(arguments: Sequence[str]) -> None:
    """Run this program again where it may mount a disk; return where the kernel lets no ordinary user do so."""
    shell = ["unshare", "--user", "--map-root-user", "--mount"]
    if INSIDE in os.environ or shutil.which("unshare") is None:
        return
    if subprocess.run([*shell, "true"], check=False, capture_output=True).returncode:
        return
    os.execvpe("unshare", [*shell, sys.executable, "-m", "bench.faults", *arguments], os.environ | {INSIDE: "1"})


def main(argv: Sequence[str] | None = None) -> int:
    """Kill and print the table: 0 where nothing was lost or doubled, else 1."""
    options = _options(argv)
    with tempfile.TemporaryDirectory(prefix="wordcam-faults-") as made:
        folder = (options.keep or Path(made)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            found = run(options, folder)
        except RuntimeError as error:
            print(f"faults: {error}", file=sys.stderr)
            return 75
    if options.json:
        print(json.dumps(found))
    else:
        Console().print(table(found))
    return 0 if is_good(found) else 1


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.faults", description=(__doc__ or "").partition(": ")[0] + "."
    )
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of chance (%(default)s)")
    parser.add_argument("--bundle", type=Path, default=config.DEFAULT_BUNDLE, metavar="DIR", help="model bundle")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in this folder, and leave logs there")
    parser.add_argument("--json", action="store_true", help="one JSON object in place of a table")
    return parser.parse_args(argv)


if __name__ == "__main__":
    enter_namespace(sys.argv[1:])
    sys.exit(main())
